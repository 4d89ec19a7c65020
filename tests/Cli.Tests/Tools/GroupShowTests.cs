using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Cli.Tests.Tools;

public sealed class GroupShowTests(StandaloneServer server) : IClassFixture<StandaloneServer>
{
    [Fact]
    public async Task Show_GroupWithAMember_TellsWhoConsumesWhatAndHowFar()
    {
        (await server.RunAsync("topic", "create", "Shown", "--queues", "2")).ShouldSucceed();
        (await server.RunAsync("group", "create", "watchers", "--retries", "4")).ShouldSucceed();
        foreach (string queue in (string[])["0", "0", "0", "1"])
        {
            (await server.RunAsync("message", "send", "Shown", "x", "--queue", queue)).ShouldSucceed();
        }

        string broker = await BrokerNameAsync();
        await using var consumer = new RawClient(server.Broker, table => table.On<GetConsumerRunningInfoHeader>(
            RequestCode.GetConsumerRunningInfo,
            (request, _) =>
            {
                request.Reply(BodyCodec.Encode(new ConsumerRunningInfo
                {
                    MqTable = { [new MessageQueue("Shown", broker, 0)] = new ProcessQueueInfo() },
                }));
                return ValueTask.CompletedTask;
            }));
        await consumer.JoinAsync("10.0.0.1@1", "watchers", "Shown");
        await consumer.AskAsync(RequestCode.UpdateConsumerOffset, new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = "watchers"u8.ToArray(),
            Topic = "Shown"u8.ToArray(),
            QueueId = 0,
            CommitOffset = 1,
        });
        await using (var failing = new RawClient(server.Broker))
        {
            JsonNode first = (await server.RunAsync("message", "pull", "Shown", "--offset", "0", "--max", "1", "--json"))
                .ShouldSucceed().Json["messages"]![0]!;
            await failing.BuryAsync("watchers", "Shown", (long)first["physicalOffset"]!, (string)first["messageId"]!);
        }

        JsonNode shown = (await server.RunAsync("group", "show", "watchers", "--json")).ShouldSucceed().Json;

        Assert.Equal(
            ("PUSH", "CLUSTERING", true, 4),
            ((string)shown["consumeType"]!, (string)shown["messageModel"]!, (bool)shown["enabled"]!, (int)shown["retryMaxTimes"]!));
        JsonNode member = Assert.Single(shown["members"]!.AsArray())!;
        Assert.Equal(("10.0.0.1@1", 1), ((string)member["clientId"]!, (int)member["queues"]!));
        JsonNode subscription = Assert.Single(shown["subscriptions"]!.AsArray())!;
        Assert.Equal(("Shown", "TAG", "TagA"), ((string)subscription["topic"]!, (string)subscription["expressionType"]!, (string)subscription["expression"]!));
        JsonNode consumed = shown["queues"]!.AsArray().Single(queue => (string)queue!["topic"]! == "Shown" && (int)queue["queue"]! == 0)!;
        Assert.Equal((3, 1, 2), ((long)consumed["brokerOffset"]!, (long)consumed["consumerOffset"]!, (long)consumed["lag"]!));
        Assert.Equal(["10.0.0.1@1"], consumed["clientIds"]!.AsArray().Select(id => (string)id!));
        Assert.Equal((0, 1), ((long)shown["retries"]!, (long)shown["deadLetters"]!));

        CommandResult text = (await server.RunAsync("group", "show", "watchers")).ShouldSucceed();
        Assert.Contains("Members       1, PUSH CLUSTERING", text.Output, StringComparison.Ordinal);
        Assert.Contains("Dead letters  1", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_GroupThatPops_TellsWhatItHasInHand()
    {
        (await server.RunAsync("topic", "create", "Popped", "--queues", "1")).ShouldSucceed();
        (await server.RunAsync("group", "create", "poppers")).ShouldSucceed();
        foreach (string body in (string[])["a", "b", "c"])
        {
            (await server.RunAsync("message", "send", "Popped", body)).ShouldSucceed();
        }

        await using var consumer = new RawClient(server.Broker);
        await consumer.AskAsync(RequestCode.PopMessage, new PopMessageHeader
        {
            ConsumerGroup = "poppers"u8.ToArray(),
            Topic = "Popped"u8.ToArray(),
            QueueId = 0,
            MaxMessages = 2,
            InvisibleTimeMs = 60_000,
            Expression = "*"u8.ToArray(),
        });

        JsonNode shown = (await server.RunAsync("group", "show", "poppers", "--json")).ShouldSucceed().Json;

        JsonNode queue = shown["queues"]!.AsArray().Single(queue => (string)queue!["topic"]! == "Popped")!;
        Assert.Equal((3, 2, 1, 2), ((long)queue["brokerOffset"]!, (long)queue["consumerOffset"]!, (long)queue["lag"]!, (long)queue["inFlight"]!));
        Assert.Equal((1, 2), ((long)shown["lag"]!, (long)shown["inFlight"]!));
    }

    [Fact]
    public async Task Show_MemberThatDoesNotTellItsQueues_IsShownAllTheSame()
    {
        (await server.RunAsync("group", "create", "silent")).ShouldSucceed();
        await using var consumer = new RawClient(server.Broker);
        await consumer.JoinAsync("10.0.0.2@2", "silent", "Shown");

        CommandResult shown = (await server.RunAsync("group", "show", "silent")).ShouldSucceed();

        Assert.Contains("10.0.0.2@2", shown.Output, StringComparison.Ordinal);
        Assert.Contains("10.0.0.2@2 did not tell which queues it consumes", shown.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_GroupWithoutMembers_SaysSo()
    {
        (await server.RunAsync("group", "create", "lonely")).ShouldSucceed();

        JsonNode shown = (await server.RunAsync("group", "show", "lonely", "--json")).ShouldSucceed().Json;

        Assert.Null(shown["consumeType"]);
        Assert.Empty(shown["members"]!.AsArray());
        Assert.Equal((0, 0), ((long)shown["lag"]!, (long)shown["deadLetters"]!));
        (await server.RunAsync("group", "show", "lonley")).ShouldFail(ExitCode.NotFound, "did you mean lonely?");
    }

    private async Task<string> BrokerNameAsync() =>
        (string)(await server.RunAsync("cluster", "list", "--json")).ShouldSucceed().Json["brokers"]![0]!["broker"]!;
}
