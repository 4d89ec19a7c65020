using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Producers;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Cli.Tests.Tools;

/// <summary>
/// The walk through docs/GRAY.md from end to end: by the commands, with two name servers and two brokers as processes of their own, and
/// consumers that know nothing of gray.
/// </summary>
public sealed class GrayReleaseTests : IAsyncDisposable
{
    private const string Topic = "Orders";
    private const string Group = "order-service";
    private const int Count = 48;

    private readonly TempFolder _folder = new();
    private readonly List<ChildProcess> _processes = [];
    private readonly List<PushConsumer> _consumers = [];
    private string _nameServers = "";

    [Fact]
    public async Task Release_FromTheFirstGrayClientToPromotion_AndAnotherWithdrawn()
    {
        ChildProcess[] nameServers = [await StartNameServerAsync(), await StartNameServerAsync()];
        await StartBrokerAsync("a");
        await StartBrokerAsync("b");
        await SucceedAsync("topic", "create", Topic, "--queues", "6");
        var v1 = new Version();
        var v2 = new Version();
        await StartConsumerAsync("v1", v1);

        Assert.Equal("Topic Orders is on.", await SucceedAsync("gray", "topic", "enable", Topic, "--wait"));
        Assert.Equal("Release 1 of group order-service is open.", await SucceedAsync("gray", "open", Group));
        await SucceedAsync("gray", "rule", "add", Group, "--client", "*@v2");
        await StartConsumerAsync("v2", v2);
        JsonNode open = await UntilStatusAsync(
            status => Sides(status, "v2") is ["gray"] && Sides(status, "v1") is ["normal"] && GrayQueueOwners(status) is { Count: 4 } owners
                && owners.All(owner => owner == "gray") && Queues(status).All(queue => queue["taker"] is null)
                && status["topics"]!.AsArray().Count == 1, // the name server that is asked may know later than the brokers
            "both brokers have given the gray queues to v2");
        Assert.Equal([0, 5], open["topics"]!.AsArray().Single()!["grayQueues"]!.AsArray().Select(queue => (int)queue!).Order());

        await SendAsync("open");
        await v1.UntilAsync(Count * 3 / 4);
        await v2.UntilAsync(Count / 4);
        Assert.All(v1.Bodies, body => Assert.StartsWith("open normal", body, StringComparison.Ordinal));
        Assert.All(v2.Bodies, body => Assert.StartsWith("open gray", body, StringComparison.Ordinal));

        // One name server is gone; and v2 has work left, for which the promotion waits.
        await nameServers[0].DisposeAsync();
        _processes.Remove(nameServers[0]);
        v2.Hold();
        await SendAsync("held");
        await v1.UntilAsync(Count * 6 / 4);
        Task<string> promoted = SucceedAsync("gray", "promote", Group, "--wait");
        JsonNode draining = await UntilStatusAsync(
            status => status["changes"]!.AsArray().Any(change => (long)change!["remaining"]! > 0), "the promotion shows what is left");
        Assert.Equal("promoting", (string?)draining["releases"]!.AsArray().Single()!["state"]);
        Assert.False(promoted.IsCompleted);
        await using var watch = new RunningCommand("gray", "status", Group, "--watch", "--namesrv", _nameServers);
        await watch.WaitForAsync("the gray side has ");
        (await RunAsync("gray", "promote", Group)).ShouldFail(
            ExitCode.Failure, "release 1 of group order-service is being promoted: wait, cancel or force it");
        (await RunAsync("gray", "withdraw", Group, "--leftover", "skip")).ShouldFail(
            ExitCode.Failure, "release 1 of group order-service is being promoted: wait, cancel or force it");
        v2.Release();
        Assert.Equal("Release 1 of group order-service is promoted.", await promoted);
        await watch.WaitForAsync("promoted  join");
        Assert.Equal(Count / 2, v2.Bodies.Count(body => body.Contains(" gray ", StringComparison.Ordinal)));
        CommandResult again = await RunAsync("gray", "promote", Group);
        again.ShouldFail(ExitCode.Failure, "group order-service has no open release");

        await SucceedAsync("gray", "open", Group);
        Assert.Equal(
            "Release 2 of group order-service is withdrawn.",
            await SucceedAsync("gray", "withdraw", Group, "--leftover", "normal", "--wait"));
        await SucceedAsync("gray", "topic", "disable", Topic, "--wait");
        await SendAsync("after");
        await Eventually.TrueAsync(() => v1.Bodies.Concat(v2.Bodies).Distinct().Count() == 3 * Count, "every message is consumed");

        JsonArray history = (await RunAsync("gray", "history", "--json")).ShouldSucceed().Json["entries"]!.AsArray();
        string[] summaries = [.. history.Select(entry => (string)entry!["summary"]!)];
        Assert.Contains("release 1 of group order-service is promoted", summaries);
        Assert.Contains("clients of group order-service that match client id *@v2 are gray", summaries);
        long[] versions = [.. history.Select(entry => (long)entry!["version"]!)];
        Assert.Equal(versions.OrderDescending().Distinct(), versions);
        Assert.All(history, entry => Assert.NotEqual("", (string?)entry!["operator"]));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PushConsumer consumer in _consumers)
        {
            await consumer.DisposeAsync();
        }

        foreach (ChildProcess process in _processes)
        {
            await process.DisposeAsync();
        }

        _folder.Dispose();
    }

    private static JsonObject[] Queues(JsonNode status) =>
        [.. status["queues"]!.AsArray().Select(queue => queue!.AsObject()).Where(queue => (string?)queue["topic"] == Topic)];

    private static List<string?> GrayQueueOwners(JsonNode status) =>
        [.. Queues(status).Where(queue => (int)queue["queue"]! is 0 or 5).Select(queue => (string?)queue["owner"])];

    private static string?[] Sides(JsonNode status, string instance) =>
    [
        .. status["clients"]!.AsArray()
            .Where(client => ((string?)client!["clientId"])!.EndsWith($"@{instance}", StringComparison.Ordinal))
            .Select(client => (string?)client!["side"]),
    ];

    // Both name servers have one database.
    private async Task<ChildProcess> StartNameServerAsync()
    {
        ChildProcess process = Start(
            "namesrv", "--set", "bindAddress=127.0.0.1", "--set", "listenPort=0", "--set", $"grayDatabase={_folder.PathOf("gray.db")}",
            "--set", $"kvConfigPath={_folder.PathOf($"kv{_processes.Count}.json")}");
        string line = await process.WaitForAsync("name server ");
        _nameServers += (_nameServers.Length == 0 ? "" : ";") + line.Split("name server ")[1].Trim();
        return process;
    }

    private async Task StartBrokerAsync(string name)
    {
        ChildProcess process = Start(
            "broker", "--namesrv", _nameServers, "--set", $"brokerName={name}", "--set", "bindAddress=127.0.0.1", "--set", "brokerIP1=127.0.0.1",
            "--set", $"listenPort={FreePorts.TakeForBroker()}", "--set", "httpPort=0", "--set", "grpcPort=0",
            "--set", $"storePathRootDir={_folder.PathOf(name)}", "--set", "mappedFileSizeCommitLog=4194304");
        await process.WaitForAsync("\n");
    }

    private ChildProcess Start(params string[] arguments)
    {
        var process = new ChildProcess(arguments);
        _processes.Add(process);
        return process;
    }

    private async Task StartConsumerAsync(string instance, Version version)
    {
        var consumer = new PushConsumer(
            new PushConsumerOptions
            {
                NameServers = _nameServers,
                Group = Group,
                InstanceName = instance,
                ConsumeFrom = ConsumeFrom.First,
                OffsetCommitInterval = TimeSpan.FromMilliseconds(500),
                Subscriptions = { [Topic] = "*" },
            },
            version.HandleAsync);
        _consumers.Add(consumer);
        await consumer.StartAsync();
    }

    // Every fourth is gray.
    private async Task SendAsync(string phase)
    {
        await using var producer = new Producer(new ProducerOptions { NameServers = _nameServers });
        for (int i = 0; i < Count; i++)
        {
            bool gray = i % 4 == 3;
            var message = new Message(Topic, Encoding.UTF8.GetBytes($"{phase} {(gray ? "gray" : "normal")} {i}"));
            if (gray)
            {
                message.Properties["grayFlag"] = "true";
            }

            await producer.SendAsync(message);
        }
    }

    private Task<CommandResult> RunAsync(params string[] arguments) => TestCommand.RunAsync([.. arguments, "--namesrv", _nameServers]);

    private async Task<string> SucceedAsync(params string[] arguments) => (await RunAsync(arguments)).ShouldSucceed().Output.Trim();

    private async Task<JsonNode> UntilStatusAsync(Func<JsonNode, bool> condition, string what)
    {
        JsonNode? status = null;
        await Eventually.TrueAsync(
            async () =>
            {
                CommandResult result = await RunAsync("gray", "status", "--json");
                status = result.ExitCode == ExitCode.Success ? result.Json : null;
                return status is not null && condition(status);
            },
            what);
        return status!;
    }

    /// <summary>What the clients of a version have consumed.</summary>
    private sealed class Version
    {
        private readonly ConcurrentQueue<string> _bodies = new();
        private volatile TaskCompletionSource? _held;

        public IReadOnlyList<string> Bodies => [.. _bodies];

        public void Hold() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release() => _held?.SetResult();

        public Task UntilAsync(int count) => Eventually.TrueAsync(() => _bodies.Count >= count, $"{count} messages");

        public async ValueTask<ConsumeResult> HandleAsync(ReceivedMessage message, CancellationToken cancel)
        {
            await (_held?.Task ?? Task.CompletedTask);
            _bodies.Enqueue(Encoding.UTF8.GetString(message.Body.Span));
            return ConsumeResult.Success;
        }
    }
}
