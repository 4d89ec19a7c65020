using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Popping;

/// <summary>What becomes of messages that nobody acks.</summary>
public sealed class PopRetryTests
{
    private const string Topic = "Retried";

    [Fact]
    public async Task Overdue_PastTheGroupsLimit_GoesToTheDeadLetters()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await PutGroupAsync(peer, new SubscriptionGroupConfig { GroupName = Pops.Group, RetryMaxTimes = 1 });
        await RunningBroker.SendAsync(peer, Topic, 0, "bad");
        await peer.TakeAsync(Pops.Header(Topic, invisibleMs: 100), 1);
        Popped second = Assert.Single(await peer.TakeAsync(Pops.Header(Topic, invisibleMs: 100), 1));
        Assert.Equal(1, second.Message.ReconsumeTimes);

        RemotingCommand dead = await PullUntilFoundAsync(peer, $"%DLQ%{Pops.Group}");
        Assert.Equal("bad", Assert.Single(Pulls.Bodies(dead)));
        Assert.Equal(Topic, Assert.Single(Pulls.Messages(dead)).Properties["RETRY_TOPIC"]);
        Assert.Equal(ResponseCode.PollingTimeout, (await peer.PopAsync(Pops.Header(Topic, pollMs: 300))).ResponseCode);
    }

    [Theory]
    [InlineData("true", "false", '+')]
    [InlineData("false", "true", '_')]
    public async Task Retries_UnderEitherNameAndEitherForm_AreAckedByTheirHandles(string secondForm, string actualTopic, char separator)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(
            ("enableRetryTopicV2", secondForm), ("popResponseReturnActualRetryTopic", actualTopic));
        Peer peer = broker.Connect("c1");
        await RunningBroker.SendAsync(peer, Topic, 0, "m");
        await peer.TakeAsync(Pops.Header(Topic, invisibleMs: 100), 1);

        Popped again = Assert.Single(await peer.TakeAsync(Pops.Header(Topic, invisibleMs: 300), 1));
        string retry = $"%RETRY%{Pops.Group}{separator}{Topic}";
        Assert.Equal(retry, again.RealTopic);
        Assert.Equal(actualTopic == "true" ? retry : Topic, again.Message.Topic);
        Popped third = Assert.Single(await peer.TakeAsync(Pops.Header(Topic), 1));

        Assert.Equal((retry, 2), (third.RealTopic, third.Message.ReconsumeTimes));
        Assert.Equal(ResponseCode.NoMessage, (await peer.AckAsync(again)).ResponseCode);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(third)).ResponseCode);
    }

    [Fact]
    public async Task Overdue_InAGroupWithARetryPolicy_WaitsAsItSays()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await PutGroupAsync(peer, new SubscriptionGroupConfig
        {
            GroupName = Pops.Group,
            GroupRetryPolicy = new GroupRetryPolicy
            {
                Type = GroupRetryPolicyType.Exponential,
                ExponentialRetryPolicy = new ExponentialRetryPolicy { Initial = 1500, Max = 10_000, Multiplier = 2 },
            },
        });
        await RunningBroker.SendAsync(peer, Topic, 0, "m");
        Popped first = Assert.Single(await peer.TakeAsync(Pops.Header(Topic, invisibleMs: 100), 1));
        long popTime = long.Parse(first.Handle.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);

        Popped again = Assert.Single(await peer.TakeAsync(Pops.Header(Topic), 1));

        Assert.Equal(1, again.Message.ReconsumeTimes);
        Assert.True(again.Message.StoreTimestampMs >= popTime + 100 + 1500, $"{again.Message.StoreTimestampMs - popTime} ms");
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(again)).ResponseCode);
    }

    [Fact]
    public async Task Restart_AfterTheTimeWasUp_GivesEachMessageBackOnce()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        for (int i = 0; i < 5; i++)
        {
            await RunningBroker.SendAsync(peer, Topic, 0, $"m{i}");
        }

        await peer.TakeAsync(Pops.Header(Topic, invisibleMs: 1), 5);
        await broker.RestartAsync();
        peer = broker.Connect("c1");
        List<Popped> again = await peer.TakeAsync(Pops.Header(Topic), 5);
        await broker.RestartAsync();
        peer = broker.Connect("c1");

        Assert.Equal(["m0", "m1", "m2", "m3", "m4"], again.Select(m => m.Body).Order(StringComparer.Ordinal));
        foreach (Popped message in again)
        {
            Assert.Equal(ResponseCode.Success, (await peer.AckAsync(message)).ResponseCode);
        }

        Assert.Equal(5, await peer.MaxOffsetAsync($"%RETRY%{Pops.Group}_{Topic}"));
        Assert.Equal(ResponseCode.PollingTimeout, (await peer.PopAsync(Pops.Header(Topic, pollMs: 300))).ResponseCode);
    }

    [Fact]
    public async Task Killed_BetweenTheCopyAndTheEndOfTheCheckPoint_GivesNothingBackTwice()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        for (int i = 0; i < 3; i++)
        {
            await RunningBroker.SendAsync(peer, Topic, 0, $"m{i}");
        }

        await peer.DispatchedAsync(Topic, 3);
        List<Popped> taken = await peer.TakeAsync(Pops.Header(Topic, 0, invisibleMs: 4000), 3);
        List<Popped> ofOthers = await peer.TakeAsync(Pops.Header(Topic, 0, group: "Others"), 3);
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(taken[1])).ResponseCode);
        string before = Directory.CreateTempSubdirectory("graymq-state-").FullName;
        string state = Path.Combine(broker.StorePath, "state");
        await broker.StopAllAsync();
        DirectoryCopy.Make(state, before);
        await broker.StartAgainAsync();
        peer = broker.Connect("c1");
        string retry = $"%RETRY%{Pops.Group}_{Topic}";
        await PullUntilFoundAsync(peer, retry);
        await peer.DispatchedAsync(retry, 2);

        // The copies are in the log, the database is as it was before them, but for the note.
        await broker.StopAllAsync();
        Directory.Delete(state, recursive: true);
        DirectoryCopy.Make(before, state);
        using (KeyValueStore values = KeyValueStore.Open(state, "progress"))
        {
            values.Put(values.GetFamily("progress"), "popRevival"u8, new byte[sizeof(long)]);
        }

        await broker.StartAgainAsync();
        peer = broker.Connect("c1");

        List<Popped> again = await peer.TakeAsync(Pops.Header(Topic), 2);
        Assert.Equal(["m0", "m2"], again.Select(m => m.Body).Order(StringComparer.Ordinal));
        Assert.Equal(ResponseCode.PollingTimeout, (await peer.PopAsync(Pops.Header(Topic, pollMs: 500))).ResponseCode);
        Assert.Equal(2, await peer.MaxOffsetAsync(retry));

        // Another group that has the same messages in hand keeps them.
        foreach (Popped message in ofOthers)
        {
            Assert.Equal(ResponseCode.Success, (await peer.AckAsync(message)).ResponseCode);
        }

        Directory.Delete(before, recursive: true);
    }

    // The topic itself comes with its first message.
    private static async Task<RemotingCommand> PullUntilFoundAsync(Peer peer, string topic)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            deadline.Token.ThrowIfCancellationRequested();
            RemotingCommand reply = await RunningBroker.PullAsync(peer, "Undertaker", topic, 0, 0);
            if (reply.ResponseCode == ResponseCode.Success)
            {
                return reply;
            }
        }
    }

    private static async Task PutGroupAsync(Peer peer, SubscriptionGroupConfig group)
    {
        RemotingCommand reply = await peer.AskAsync(
            RequestCode.UpdateAndCreateSubscriptionGroup, default(NoHeader), BodyCodec.Encode(group));
        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
    }
}
