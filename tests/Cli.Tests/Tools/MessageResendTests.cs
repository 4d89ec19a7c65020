using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Popping;

namespace GrayMQ.Cli.Tests.Tools;

public sealed class MessageResendTests(StandaloneServer server) : IClassFixture<StandaloneServer>
{
    [Fact]
    public async Task Resend_ByKey_StoresACopyWhereItCameFrom()
    {
        string[] ids = await BuryAsync("keyed", "Orders", "o1", "o2");

        JsonNode dry = (await server.RunAsync("message", "resend", "keyed", "--key", "o2", "--dry-run", "--json")).ShouldSucceed().Json;
        Assert.Equal((1, 0, 0), Counts(dry));
        Assert.Equal(2, (await PullAsync("Orders")).Count);

        JsonNode done = (await server.RunAsync("message", "resend", "keyed", "--key", "o2", "--json")).ShouldSucceed().Json;

        Assert.Equal((1, 1, 0), Counts(done));
        JsonNode sent = Assert.Single(done["messages"]!.AsArray())!;
        Assert.Equal((ids[1], "Orders", "Orders"), ((string)sent["messageId"]!, (string)sent["originTopic"]!, (string)sent["target"]!));
        JsonNode copy = (await PullAsync("Orders"))[2];
        Assert.Equal(
            (ids[1], "body of o2", "7", 0),
            ((string)copy["messageId"]!, (string)copy["body"]!, (string)copy["properties"]!["own"]!, (int)copy["reconsumeTimes"]!));
        Assert.Equal((string?)sent["newOffsetMessageId"], (string?)copy["offsetMessageId"]);
        Assert.NotNull(copy["properties"]!["ORIGIN_MESSAGE_ID"]);
        Assert.Null(copy["properties"]!["RETRY_TOPIC"]);
        Assert.Equal(2, (await PullAsync("%DLQ%keyed")).Count);
    }

    [Fact]
    public async Task Resend_ByIdOrTime_FindsThoseAndNoOthers()
    {
        string[] ids = await BuryAsync("timed", "Timed", "t1", "t2", "t3");
        (await server.RunAsync("topic", "create", "Elsewhere", "--queues", "1")).ShouldSucceed();

        JsonNode byId = (await server.RunAsync(
            "message", "resend", "timed", "--id", ids[0], "--id", ids[2], "--to", "Elsewhere", "--json")).ShouldSucceed().Json;
        Assert.Equal((2, 2, 0), Counts(byId));
        Assert.Equal([ids[0], ids[2]], (await PullAsync("Elsewhere")).Select(message => (string)message["messageId"]!));

        string second = ((await PullAsync("%DLQ%timed"))[1]["storeTimestampMs"]!).ToString();
        JsonNode byTime = (await server.RunAsync(
            "message", "resend", "timed", "--begin", second, "--dry-run", "--json")).ShouldSucceed().Json;
        Assert.Contains(ids[1], byTime["messages"]!.AsArray().Select(message => (string)message!["messageId"]!));
        Assert.Contains(ids[2], byTime["messages"]!.AsArray().Select(message => (string)message!["messageId"]!));
        (await server.RunAsync("message", "resend", "timed", "--end", "1000")).ShouldFail(ExitCode.NotFound, "has no such dead letter");
    }

    [Fact]
    public async Task Resend_AllToTheGroupOnly_GoesByItsRetryTopic()
    {
        await BuryAsync("alone", "Shared", "s1", "s2");

        JsonNode done = (await server.RunAsync("message", "resend", "alone", "--all", "--group-only", "--json")).ShouldSucceed().Json;

        Assert.Equal((2, 2, 0), Counts(done));
        Assert.Equal(2, (await PullAsync("Shared")).Count);
        List<JsonNode> retried = await PullAsync("%RETRY%alone");
        Assert.Equal(["Shared", "Shared"], retried.Select(message => (string)message["properties"]!["RETRY_TOPIC"]!));
    }

    [Fact]
    public async Task Resend_ToAGroupThatPops_ReachesItsConsumer()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        (await server.RunAsync("group", "create", "poppers", "--retries", "1")).ShouldSucceed();
        (await server.RunAsync("topic", "create", "Popped", "--queues", "1")).ShouldSucceed();
        await using var consumer = new PopConsumer(new PopConsumerOptions
        {
            NameServers = server.NameServer,
            Group = "poppers",
            ConsumeFrom = ConsumeFrom.First,
            InvisibleTime = TimeSpan.FromMilliseconds(100),
            Subscriptions = { ["Popped"] = "*" },
        });
        await consumer.StartAsync(deadline.Token);
        (await server.RunAsync("message", "send", "Popped", "lost", "--keys", "k")).ShouldSucceed();
        await ReceiveOneAsync(consumer, deadline.Token);
        await ReceiveOneAsync(consumer, deadline.Token);
        foreach (string topic in (string[])["%DLQ%poppers", "%RETRY%poppers", "%RETRY%poppers_Popped"])
        {
            await RoutedAsync(topic);
        }

        await Eventually.TrueAsync(async () => (await PullAsync("%DLQ%poppers")).Count > 0, "there is a dead letter");

        JsonNode done = (await server.RunAsync("message", "resend", "poppers", "--key", "k", "--group-only", "--json")).ShouldSucceed().Json;

        Assert.Equal("%RETRY%poppers_Popped", (string)done["messages"]![0]!["target"]!);
        PoppedMessage again = await ReceiveOneAsync(consumer, deadline.Token);
        Assert.Equal(("Popped", "k", 0), (again.Message.Topic, again.Message.Properties["KEYS"], again.Message.ReconsumeTimes));
        Assert.Single(await PullAsync("Popped"));
        (await server.RunAsync("group", "show", "poppers_Popped")).ShouldFail(ExitCode.NotFound, "poppers_Popped");
    }

    [Fact]
    public async Task Resend_WhereTheOriginIsGone_CountsWhatFailedAndLosesNothing()
    {
        await BuryAsync("orphans", "Gone", "g1");
        await BuryAsync("orphans", "Here", "h1");
        (await server.RunAsync("topic", "delete", "Gone", "--yes")).ShouldSucceed();

        CommandResult result = await server.RunAsync("message", "resend", "orphans", "--all", "--json");

        Assert.Equal(ExitCode.Failure, result.ExitCode);
        Assert.Contains("1 were not sent, and 0 were not tried: topic Gone does not exist", result.Error, StringComparison.Ordinal);
        Assert.Equal((2, 1, 1), Counts(result.Json));
        Assert.Equal(2, (await PullAsync("Here")).Count);
        Assert.Equal(2, (await PullAsync("%DLQ%orphans")).Count);
    }

    [Fact]
    public async Task Resend_WithoutSayingWhich_IsWrongUsage()
    {
        (await server.RunAsync("message", "resend", "any")).ShouldFail(ExitCode.Usage, "expected --all, or some of --id");
        (await server.RunAsync("message", "resend", "any", "--all", "--key", "k")).ShouldFail(ExitCode.Usage, "expected --all, or some of --id");
        (await server.RunAsync("message", "resend", "any", "--all", "--to", "T", "--group-only"))
            .ShouldFail(ExitCode.Usage, "expected --to or --group-only");
        (await server.RunAsync("message", "resend", "any", "--all")).ShouldFail(ExitCode.NotFound, "group any has no dead letters");
        (await server.RunAsync("message", "resend", "any", "--all", "--to", "Nowhere")).ShouldFail(ExitCode.NotFound, "topic Nowhere does not exist");
    }

    // Sends messages with these keys and has the group fail all of them.
    private async Task<string[]> BuryAsync(string group, string topic, params string[] keys)
    {
        (await server.RunAsync("group", "create", group)).ShouldSucceed();
        (await server.RunAsync("topic", "create", topic, "--queues", "1")).ShouldSucceed();
        await using var consumer = new RawClient(server.Broker);
        await consumer.JoinAsync("10.0.0.9@9", group, topic);
        var ids = new List<string>();
        foreach (string key in keys)
        {
            JsonNode sent = (await server.RunAsync(
                "message", "send", topic, $"body of {key}", "--keys", key, "--property", "own=7", "--json")).ShouldSucceed().Json;
            JsonNode stored = (await server.RunAsync("message", "view", (string)sent["offsetMessageId"]!, "--json")).ShouldSucceed().Json;
            await consumer.BuryAsync(group, topic, (long)stored["physicalOffset"]!, (string)sent["messageId"]!);
            ids.Add((string)sent["messageId"]!);
        }

        await RoutedAsync($"%DLQ%{group}");
        await Eventually.TrueAsync(async () => (await PullAsync($"%DLQ%{group}")).Count >= keys.Length, "all of them are dead letters");

        return [.. ids];
    }

    // The broker tells the name server of a new topic in its own time.
    private Task RoutedAsync(string topic) => Eventually.TrueAsync(
        async () => (await server.RunAsync("topic", "route", topic)).ExitCode == ExitCode.Success, $"{topic} has a route");

    private static async Task<PoppedMessage> ReceiveOneAsync(PopConsumer consumer, CancellationToken cancel)
    {
        while (true)
        {
            if (await consumer.ReceiveAsync(cancel) is [PoppedMessage message, ..])
            {
                return message;
            }
        }
    }

    private async Task<List<JsonNode>> PullAsync(string topic) =>
        [.. (await server.RunAsync("message", "pull", topic, "--offset", "earliest", "--json")).ShouldSucceed().Json["messages"]!.AsArray().Select(message => message!)];

    private static (int Selected, int Sent, int Failed) Counts(JsonNode result) =>
        ((int)result["selected"]!, (int)result["sent"]!, (int)result["failed"]!);
}
