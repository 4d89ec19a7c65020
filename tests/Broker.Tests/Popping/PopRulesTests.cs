using System.Buffers;
using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Popping;

/// <summary>Who may pop what, where a group begins, what an administrator does to it, and the limits.</summary>
public sealed class PopRulesTests
{
    private const string Topic = "Rules";

    [Fact]
    public async Task Pop_ThatMayNotBe_IsToldWhy()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("autoCreateSubscriptionGroup", "false"));
        Peer peer = broker.Connect("c1");
        await RunningBroker.SendAsync(peer, Topic, 0, "m");
        await PutGroupAsync(peer, new SubscriptionGroupConfig { GroupName = Pops.Group });
        await PutGroupAsync(peer, new SubscriptionGroupConfig { GroupName = "Suspended", ConsumeEnable = false });
        PopMessageHeader good = Pops.Header(Topic);

        Assert.Equal(ResponseCode.TopicNotExist, await CodeAsync(Pops.Header("Nowhere")));
        Assert.Equal(ResponseCode.SubscriptionGroupNotExist, await CodeAsync(Pops.Header(Topic, group: "Nobody")));
        Assert.Equal(ResponseCode.NoPermission, await CodeAsync(Pops.Header(Topic, group: "Suspended")));
        Assert.Equal(ResponseCode.InvalidParameter, await CodeAsync(good with { QueueId = 99 }));
        Assert.Equal(ResponseCode.InvalidParameter, await CodeAsync(good with { MaxMessages = 33 }));
        Assert.Equal(ResponseCode.InvalidParameter, await CodeAsync(good with { MaxMessages = 0 }));
        Assert.Equal(ResponseCode.InvalidParameter, await CodeAsync(good with { InvisibleTimeMs = 0 }));
        Assert.Equal(ResponseCode.InvalidParameter, await CodeAsync(good with { InvisibleTimeMs = long.MaxValue }));
        Assert.Equal(ResponseCode.PollingTimeout, await CodeAsync(good with { BornTimeMs = 1000 }));
        Assert.Equal(
            ResponseCode.SystemError,
            await CodeAsync(good with { ExpressionType = "LUA"u8.ToArray(), Expression = "a > 1"u8.ToArray() }));
        Assert.Equal(ResponseCode.SubscriptionParseFailed, await CodeAsync(good with { Expression = "||"u8.ToArray() }));
        Assert.Equal(ResponseCode.Success, await CodeAsync(good));

        async Task<ResponseCode> CodeAsync(PopMessageHeader header) => (await peer.PopAsync(header)).ResponseCode;
    }

    [Fact]
    public async Task Pop_ByTag_PassesOverWhatIsNotAskedFor()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        for (int i = 0; i < 9; i++)
        {
            await SendAsync(peer, $"m{i}", i % 3 == 0 ? "A" : "B");
        }

        List<Popped> taken = await peer.TakeAsync(Pops.Header(Topic, 0, expression: "A", invisibleMs: 3000), 3);
        Assert.Equal(["m0", "m3", "m6"], taken.Select(m => m.Body));
        Assert.Equal(ResponseCode.Success, (await peer.AckAsync(taken[1])).ResponseCode);
        List<Popped> again = await peer.TakeAsync(Pops.Header(Topic, 0, expression: "A"), 2);

        Assert.Equal(["m0", "m6"], again.Select(m => m.Body));
        Assert.Equal(ResponseCode.PollingTimeout, (await peer.PopAsync(Pops.Header(Topic, expression: "A"))).ResponseCode);
        Assert.Equal(9, await CommittedAsync(peer));
    }

    [Fact]
    public async Task Pop_OfANewGroup_BeginsWhereItWants()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("initPopOffsetByCheckMsgInMem", "false"));
        Peer peer = broker.Connect("c1");
        for (int i = 0; i < 3; i++)
        {
            await RunningBroker.SendAsync(peer, Topic, 0, $"m{i}");
        }

        await peer.DispatchedAsync(Topic, 3);

        Assert.Equal(["m2"], (await peer.TakeAsync(Pops.Header(Topic, 0, initMode: 1, group: "Late"))).Select(m => m.Body));
        Assert.Equal(["m0", "m1", "m2"], (await peer.TakeAsync(Pops.Header(Topic, 0, initMode: 0, group: "Early"))).Select(m => m.Body));
    }

    [Fact]
    public async Task Pop_AfterAPull_GoesOnWhereThePullCommitted()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        for (int i = 0; i < 4; i++)
        {
            await RunningBroker.SendAsync(peer, Topic, 0, $"m{i}");
        }

        await peer.DispatchedAsync(Topic, 4);
        Assert.Equal(["m0"], (await peer.TakeAsync(Pops.Header(Topic, 0, most: 1))).Select(m => m.Body));
        await peer.AskAsync(RequestCode.UpdateConsumerOffset, new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(Pops.Group),
            Topic = Encoding.UTF8.GetBytes(Topic),
            QueueId = 0,
            CommitOffset = 3,
        });

        Assert.Equal(["m3"], (await peer.TakeAsync(Pops.Header(Topic, 0))).Select(m => m.Body));
    }

    [Fact]
    public async Task Reset_OfAGroupThatPops_HoldsAlsoAfterARestart()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        for (int i = 0; i < 4; i++)
        {
            await RunningBroker.SendAsync(peer, Topic, 0, $"m{i}");
        }

        await peer.DispatchedAsync(Topic, 4);
        foreach (Popped message in await peer.TakeAsync(Pops.Header(Topic, 0)))
        {
            await peer.AckAsync(message);
        }

        RemotingCommand reply = await peer.AskAsync(
            RequestCode.InvokeBrokerToResetOffset, new ResetOffsetHeader { Topic = Topic, Group = Pops.Group, QueueId = 0, Offset = 1, TimestampMs = 0 });
        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
        await broker.RestartAsync();
        peer = broker.Connect("c1");

        Assert.Equal(["m1", "m2", "m3"], (await peer.TakeAsync(Pops.Header(Topic, 0))).Select(m => m.Body));
    }

    [Fact]
    public async Task Delete_OfTheTopic_DropsWhatIsInHandAndTellsThoseWhoWait()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        Peer admin = broker.Connect("admin");
        await RunningBroker.SendAsync(admin, Topic, 0, "m");
        Popped taken = Assert.Single(await peer.TakeAsync(Pops.Header(Topic, 0)));
        Task<RemotingCommand> waiting = peer.PopAsync(Pops.Header(Topic, pollMs: 15_000));
        await WaitingAsync(admin, 1);

        await admin.AskAsync(RequestCode.DeleteTopicInBroker, new TopicHeader { Topic = Topic });

        Assert.Equal(ResponseCode.TopicNotExist, (await waiting).ResponseCode);
        Assert.Equal(ResponseCode.TopicNotExist, (await peer.AckAsync(taken)).ResponseCode);
        await RunningBroker.SendAsync(admin, Topic, 0, "new");
        Assert.Equal(ResponseCode.NoMessage, (await peer.AckAsync(taken)).ResponseCode);
        Assert.Equal("new", Assert.Single(await peer.TakeAsync(Pops.Header(Topic, 0), 1)).Body);
    }

    [Fact]
    public async Task Pop_WithTooMuchInHand_GetsMoreAfterAnAck()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("popInflightMessageThreshold", "2"));
        Peer peer = broker.Connect("c1");
        Peer other = broker.Connect("c2");
        for (int i = 0; i < 4; i++)
        {
            await RunningBroker.SendAsync(peer, Topic, 0, $"m{i}");
        }

        await peer.DispatchedAsync(Topic, 4);
        List<Popped> taken = await peer.TakeAsync(Pops.Header(Topic, 0, most: 2));
        RemotingCommand refused = await peer.PopAsync(Pops.Header(Topic, 0));
        Assert.Equal(ResponseCode.PollingFull, refused.ResponseCode);
        Assert.Contains("in hand", refused.Remark, StringComparison.Ordinal);

        Task<RemotingCommand> waiting = other.PopAsync(Pops.Header(Topic, 0, most: 1, pollMs: 15_000));
        await WaitingAsync(peer, 1, queueId: 0);
        await peer.AckAsync(taken[0]);

        RemotingCommand reply = await waiting;
        Assert.Equal("m2", Assert.Single(Pops.Read(reply, Pops.Header(Topic))).Body);
    }

    [Fact]
    public async Task Pop_MoreThanMayWait_IsToldPollingFull()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("maxPopPollingSize", "1"));
        Peer peer = broker.Connect("c1");
        await RunningBroker.SendAsync(peer, Topic, 0, "m");
        await peer.AckAsync(Assert.Single(await peer.TakeAsync(Pops.Header(Topic), 1)));
        Task<RemotingCommand> waiting = peer.PopAsync(Pops.Header(Topic, pollMs: 15_000));
        await WaitingAsync(peer, 1);

        Assert.Equal(ResponseCode.PollingFull, (await peer.PopAsync(Pops.Header(Topic, pollMs: 15_000))).ResponseCode);
        RemotingCommand notified = await peer.AskAsync(RequestCode.Notification, Notification(15_000));
        Assert.True(NotificationResponseHeader.Read(notified.Fields) is { HasMessage: false, PollingFull: true });

        await RunningBroker.SendAsync(peer, Topic, 1, "late");
        Assert.Equal(ResponseCode.Success, (await waiting).ResponseCode);
    }

    [Fact]
    public async Task Notification_WithAndWithoutMessages_TellsAndTakesNothing()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        Peer producer = broker.Connect("p1");
        await RunningBroker.SendAsync(producer, Topic, 0, "m");
        await peer.DispatchedAsync(Topic, 1);

        RemotingCommand reply = await peer.AskAsync(RequestCode.Notification, Notification(0));
        Assert.True(NotificationResponseHeader.Read(reply.Fields).HasMessage);
        await peer.AckAsync(Assert.Single(await peer.TakeAsync(Pops.Header(Topic), 1)));
        reply = await peer.AskAsync(RequestCode.Notification, Notification(0));
        Assert.False(NotificationResponseHeader.Read(reply.Fields).HasMessage);

        Task<RemotingCommand> waiting = peer.AskAsync(RequestCode.Notification, Notification(15_000));
        await peer.MaxOffsetAsync(Topic);
        await RunningBroker.SendAsync(producer, Topic, 1, "late");
        Assert.True(NotificationResponseHeader.Read((await waiting).Fields).HasMessage);
        Assert.Equal("late", Assert.Single(await peer.TakeAsync(Pops.Header(Topic), 1)).Body);
    }

    [Fact]
    public async Task Peek_ShowsWhatAPopWouldGetAndLeavesIt()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        await RunningBroker.SendAsync(peer, Topic, 0, "a");
        await RunningBroker.SendAsync(peer, Topic, 1, "b");
        await peer.DispatchedAsync(Topic, 1);
        await peer.DispatchedAsync(Topic, 1, queueId: 1);
        var header = new PeekMessageHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(Pops.Group),
            Topic = Encoding.UTF8.GetBytes(Topic),
            QueueId = -1,
            MaxMessages = 32,
        };

        for (int i = 0; i < 2; i++)
        {
            RemotingCommand reply = await peer.AskAsync(RequestCode.PeekMessage, header);
            Assert.Equal(ResponseCode.Success, reply.ResponseCode);
            Assert.Equal(
                ["a", "b"],
                MessageDecoder.DecodeAll(reply.Body.ToArray()).Select(m => Encoding.UTF8.GetString(m.Body.Span)).Order(StringComparer.Ordinal));
        }

        await peer.TakeAsync(Pops.Header(Topic), 2);
        Assert.Equal(ResponseCode.PullNotFound, (await peer.AskAsync(RequestCode.PeekMessage, header)).ResponseCode);
    }

    private static NotificationHeader Notification(long pollMs) => new()
    {
        ConsumerGroup = Encoding.UTF8.GetBytes(Pops.Group),
        Topic = Encoding.UTF8.GetBytes(Topic),
        QueueId = -1,
        PollTimeMs = pollMs,
    };

    private static async Task PutGroupAsync(Peer peer, SubscriptionGroupConfig group)
    {
        RemotingCommand reply = await peer.AskAsync(
            RequestCode.UpdateAndCreateSubscriptionGroup, default(NoHeader), BodyCodec.Encode(group));
        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
    }

    private static async Task SendAsync(Peer peer, string body, string tag)
    {
        RemotingCommand reply = await peer.AskAsync(
            RequestCode.SendMessageV2,
            new SendMessageHeader
            {
                ProducerGroup = "P"u8.ToArray(),
                Topic = Encoding.UTF8.GetBytes(Topic),
                DefaultTopic = "TBW102"u8.ToArray(),
                DefaultTopicQueueNums = 2,
                QueueId = 0,
                BornTimestampMs = 1,
                Properties = Encoding.UTF8.GetBytes($"TAGS\u0001{tag}\u0002"),
            },
            Encoding.UTF8.GetBytes(body));
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
    }

    private static async Task<long> CommittedAsync(Peer peer)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.QueryConsumerOffset, new QueryConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(Pops.Group),
            Topic = Encoding.UTF8.GetBytes(Topic),
            QueueId = 0,
        });
        return OffsetResponseHeader.Read(reply.Fields).Offset;
    }

    private static Task WaitingAsync(Peer peer, int count, int queueId = -1) => peer.PollingAsync(Topic, count, queueId);
}
