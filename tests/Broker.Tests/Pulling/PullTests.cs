using System.Text;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Pulling;

/// <summary>What a pull is answered at once: codes, messages and where to go on.</summary>
public sealed class PullTests
{
    private const string Topic = "Orders";

    [Fact]
    public async Task Pull_WhereMessagesAre_GetsThemInOrder()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker, "a", "b", "c");

        RemotingCommand all = await peer.PullAsync(Pulls.Header(Topic, 0));
        Pulls.Answered(all, ResponseCode.Success, next: 3, min: 0, max: 3);
        Assert.Equal(["a", "b", "c"], Pulls.Bodies(all));

        RemotingCommand one = await peer.PullAsync(Pulls.Header(Topic, 1) with { MaxMessages = 1 });
        Pulls.Answered(one, ResponseCode.Success, next: 2, min: 0, max: 3);
        Assert.Equal(["b"], Pulls.Bodies(one));

        Pulls.Answered(
            await peer.PullAsync(Pulls.Header(Topic, 0) with { MaxMessages = 0 }), ResponseCode.Success, next: 1, min: 0, max: 3);
        Pulls.Answered(
            await peer.PullAsync(Pulls.Header(Topic, 0) with { MaxMessages = int.MaxValue }), ResponseCode.Success, next: 3, min: 0, max: 3);
    }

    [Fact]
    public async Task Pull_MaxMessageBytes_BoundsTheAnswerButForTheFirst()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker, new string('a', 1000), new string('b', 1000), new string('c', 1000));

        RemotingCommand one = await peer.PullAsync(Pulls.Header(Topic, 0) with { MaxMessageBytes = 500 });
        Pulls.Answered(one, ResponseCode.Success, next: 1, min: 0, max: 3);
        RemotingCommand two = await peer.PullAsync(Pulls.Header(Topic, 0) with { MaxMessageBytes = 2700 });
        Pulls.Answered(two, ResponseCode.Success, next: 2, min: 0, max: 3);
        Assert.InRange(two.Body.Length, 2000, 2700);
    }

    [Theory]
    [InlineData(3, ResponseCode.PullNotFound, 3)]
    [InlineData(4, ResponseCode.PullOffsetMoved, 3)]
    [InlineData(long.MaxValue, ResponseCode.PullOffsetMoved, 3)]
    [InlineData(-1, ResponseCode.PullOffsetMoved, 0)]
    [InlineData(long.MinValue, ResponseCode.PullOffsetMoved, 0)]
    public async Task Pull_BesideTheQueue_IsToldWhereToGoOn(long offset, ResponseCode code, long next)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker, "a", "b", "c");

        Pulls.Answered(await peer.PullAsync(Pulls.Header(Topic, offset)), code, next, min: 0, max: 3);
    }

    [Theory]
    [InlineData(0, ResponseCode.PullNotFound)]
    [InlineData(1, ResponseCode.PullOffsetMoved)]
    public async Task Pull_EmptyQueue_BeginsAtZero(long offset, ResponseCode code)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);

        Pulls.Answered(await peer.PullAsync(Pulls.Header(Topic, offset)), code, next: 0, min: 0, max: 0);
    }

    [Fact]
    public async Task Pull_MessagesThatRetentionTook_IsSentToTheFirstThatIsLeft()
    {
        using var disk = new ScarceDisk();
        await using RunningBroker broker = await RunningBroker.StartAsync(
            disk, ("mappedFileSizeCommitLog", "65536"), ("cleanResourceInterval", "1000"), ("diskSpaceWarningLevelRatio", "90"));
        Peer peer = await StartAsync(broker);
        for (int i = 0; i < 20; i++)
        {
            await peer.StoreAsync(Topic, new string('x', 8000));
        }

        await peer.DispatchedAsync(Topic, 20);
        disk.UsedPercent = 89;
        long min = 0;
        await Eventually.TrueAsync(() => (min = MinOffset(peer)) > 0, "retention");
        disk.UsedPercent = 10;

        RemotingCommand moved = await peer.PullAsync(Pulls.Header(Topic, 0));
        Assert.Equal(ResponseCode.PullOffsetMoved, moved.ResponseCode);
        PullMessageResponseHeader header = PullMessageResponseHeader.Read(moved.Fields);
        Assert.Equal(header.MinOffset, header.NextBeginOffset);
        Assert.InRange(header.MinOffset, min, 20);
        Assert.Equal(ResponseCode.Success, (await peer.PullAsync(Pulls.Header(Topic, header.NextBeginOffset))).ResponseCode);
    }

    [Fact]
    public async Task Pull_ByTags_GetsTheirMessagesAndSkipsTheOthers()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        foreach (string tag in (string[])["A", "B", "C", "B"])
        {
            await peer.StoreAsync(Topic, tag.ToLowerInvariant(), tag);
        }

        await peer.StoreAsync(Topic, "untagged");
        await peer.DispatchedAsync(Topic, 5);

        RemotingCommand found = await peer.PullAsync(Pulls.Header(Topic, 0, expression: "A || C"));
        Pulls.Answered(found, ResponseCode.Success, next: 5, min: 0, max: 5);
        Assert.Equal(["a", "c"], Pulls.Bodies(found));
        Pulls.Answered(
            await peer.PullAsync(Pulls.Header(Topic, 1, expression: "A")), ResponseCode.PullRetryImmediately, next: 5, min: 0, max: 5);

        // "Aa" and "BB" have the same hash code in Java, which is all that a queue knows of a tag: clients look again.
        await peer.StoreAsync(Topic, "same hash", "BB");
        await peer.DispatchedAsync(Topic, 6);
        Assert.Equal(["same hash"], Pulls.Bodies(await peer.PullAsync(Pulls.Header(Topic, 0, expression: "Aa"))));
    }

    [Fact]
    public async Task Pull_BySubscriptionOfTheGroup_NeedsOneThatIsNotOlder()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker, "a");
        PullMessageHeader pull = Pulls.Header(Topic, 0, expression: null) with { SubVersion = 5 };

        Assert.Equal(ResponseCode.SubscriptionNotExist, (await peer.PullAsync(pull)).ResponseCode);
        await peer.HeartbeatAsync(Pulls.Group, [ClientsFixture.To("Other")]);
        Assert.Equal(ResponseCode.SubscriptionNotExist, (await peer.PullAsync(pull)).ResponseCode);
        await peer.HeartbeatAsync(Pulls.Group, [ClientsFixture.To(Topic, version: 4)]);
        Assert.Equal(ResponseCode.SubscriptionNotLatest, (await peer.PullAsync(pull)).ResponseCode);
        await peer.HeartbeatAsync(Pulls.Group, [ClientsFixture.To(Topic, version: 5)]);
        Assert.Equal(["a"], Pulls.Bodies(await peer.PullAsync(pull)));
        await peer.HeartbeatAsync(Pulls.Group, [ClientsFixture.To(Topic, "B", version: 6)]);
        Assert.Equal(ResponseCode.PullRetryImmediately, (await peer.PullAsync(pull)).ResponseCode);
    }

    [Fact]
    public async Task Pull_GroupThatMayNot_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("autoCreateSubscriptionGroup", "false"));
        Peer peer = await StartAsync(broker, "a");

        Assert.Equal(ResponseCode.SubscriptionGroupNotExist, (await peer.PullAsync(Pulls.Header(Topic, 0))).ResponseCode);
        await PutGroupAsync(peer, new SubscriptionGroupConfig { GroupName = Pulls.Group, ConsumeEnable = false });
        Forbidden(ForbiddenType.Group, await peer.PullAsync(Pulls.Header(Topic, 0)));
        await PutGroupAsync(peer, new SubscriptionGroupConfig { GroupName = Pulls.Group, ConsumeBroadcastEnable = false });
        await peer.HeartbeatAsync(Pulls.Group, [ClientsFixture.To(Topic)], model: MessageModel.Broadcasting);
        Forbidden(ForbiddenType.Broadcasting, await peer.PullAsync(Pulls.Header(Topic, 0, expression: null)));
        await PutGroupAsync(peer, new SubscriptionGroupConfig { GroupName = Pulls.Group });
        Assert.Equal(ResponseCode.Success, (await peer.PullAsync(Pulls.Header(Topic, 0, expression: null))).ResponseCode);
    }

    [Fact]
    public async Task Pull_TopicOrQueueThatCannotBeRead_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.CreateTopicAsync("WriteOnly", 2, permission: 2);

        Assert.Equal(ResponseCode.TopicNotExist, (await peer.PullAsync(Pulls.Header("None", 0))).ResponseCode);
        Forbidden(ForbiddenType.Topic, await peer.PullAsync(Pulls.Header("WriteOnly", 0)));
        foreach (int queueId in (int[])[2, -1, int.MaxValue, int.MinValue])
        {
            Assert.Equal(ResponseCode.InvalidParameter, (await peer.PullAsync(Pulls.Header(Topic, 0, queueId))).ResponseCode);
        }
    }

    [Fact]
    public async Task Pull_BrokerThatOnlyTakes_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("brokerPermission", "2"));

        Peer peer = await StartAsync(broker);

        Forbidden(ForbiddenType.Broker, await peer.PullAsync(Pulls.Header(Topic, 0)));
    }

    [Fact]
    public async Task LitePull_CarriesItsOwnSubscription()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.StoreAsync(Topic, "a", "A");
        await peer.StoreAsync(Topic, "b", "B");
        await peer.DispatchedAsync(Topic, 2);

        RemotingCommand found = await peer.AskAsync(RequestCode.LitePullMessage, Pulls.Header(Topic, 0, expression: "B"));
        Assert.Equal(["b"], Pulls.Bodies(found));
        RemotingCommand bad = await peer.AskAsync(
            RequestCode.LitePullMessage, Pulls.Header(Topic, 0, expression: "a >") with { ExpressionType = "SQL92"u8.ToArray() });
        Assert.True(bad.ResponseCode is ResponseCode.SubscriptionParseFailed or ResponseCode.SystemError, $"{bad.ResponseCode}");
        RemotingCommand noTag = await peer.AskAsync(RequestCode.LitePullMessage, Pulls.Header(Topic, 0, expression: "||"));
        Assert.Equal(ResponseCode.SubscriptionParseFailed, noTag.ResponseCode);
    }

    [Fact]
    public async Task LitePull_SwitchedOff_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("litePullMessageEnable", "false"));
        Peer peer = await StartAsync(broker, "a");

        RemotingCommand reply = await peer.AskAsync(RequestCode.LitePullMessage, Pulls.Header(Topic, 0));

        Forbidden(ForbiddenType.Broker, reply);
        Assert.Equal(ResponseCode.Success, (await peer.PullAsync(Pulls.Header(Topic, 0))).ResponseCode);
    }

    [Fact]
    public async Task Pull_CommitsWhenItIsAskedTo()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker, "a", "b", "c");
        PullMessageHeader pull = Pulls.Header(Topic, 2) with { CommitOffset = 2 };

        await peer.PullAsync(pull);
        Assert.Equal(0, await CommittedAsync(peer));
        await peer.PullAsync(pull with { SysFlag = pull.SysFlag | PullSysFlag.CommitOffset });
        Assert.Equal(2, await CommittedAsync(peer));
        await peer.PullAsync(pull with { SysFlag = pull.SysFlag | PullSysFlag.CommitOffset, CommitOffset = -1 });
        Assert.Equal(2, await CommittedAsync(peer));
    }

    [Fact]
    public async Task Pull_AfterAResetOnTheServer_IsMovedOnce()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("useServerSideResetOffset", "true"));
        Peer peer = await StartAsync(broker, "a", "b", "c");
        await peer.PullAsync(Pulls.Header(Topic, 2));
        RemotingCommand reset = await peer.AskAsync(
            RequestCode.InvokeBrokerToResetOffset,
            new ResetOffsetHeader { Topic = Topic, Group = Pulls.Group, QueueId = 0, Offset = 1, TimestampMs = -1 });
        Assert.True(reset.ResponseCode == ResponseCode.Success, reset.Remark);

        PullMessageHeader pull = Pulls.Header(Topic, 2) with { CommitOffset = 2 };
        RemotingCommand moved = await peer.PullAsync(pull with { SysFlag = pull.SysFlag | PullSysFlag.CommitOffset });

        Pulls.Answered(moved, ResponseCode.PullOffsetMoved, next: 1, min: 0, max: 3);
        Assert.Equal(1, await CommittedAsync(peer));
        Assert.Equal(["b", "c"], Pulls.Bodies(await peer.PullAsync(Pulls.Header(Topic, 1))));
    }

    private static async Task<Peer> StartAsync(RunningBroker broker, params string[] bodies)
    {
        Peer peer = broker.Connect("c");
        Assert.Equal(ResponseCode.Success, (await peer.CreateTopicAsync(Topic, 2)).ResponseCode);
        foreach (string body in bodies)
        {
            await peer.StoreAsync(Topic, body);
        }

        // Whether a group may read is what some of the tests are about.
        await Eventually.TrueAsync(() => peer.MaxOffsetAsync(Topic).GetAwaiter().GetResult() == bodies.Length, "dispatched");
        return peer;
    }

    private static void Forbidden(ForbiddenType by, RemotingCommand reply)
    {
        Assert.Equal(ResponseCode.NoPermission, reply.ResponseCode);
        Assert.Equal((int)by, reply.Fields.GetInt32("forbiddenType"u8));
        Assert.False(string.IsNullOrEmpty(reply.Remark));
    }

    private static long MinOffset(Peer peer) => OffsetResponseHeader.Read(
        peer.AskAsync(RequestCode.GetMinOffset, new QueueHeader(Topic, 0)).GetAwaiter().GetResult().Fields).Offset;

    private static async Task PutGroupAsync(Peer peer, SubscriptionGroupConfig group)
    {
        RemotingCommand reply = await peer.AskAsync(
            RequestCode.UpdateAndCreateSubscriptionGroup, default(NoHeader), BodyCodec.Encode(group));
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
    }

    private static async Task<long> CommittedAsync(Peer peer)
    {
        RemotingCommand reply = await peer.AskAsync(
            RequestCode.QueryConsumerOffset,
            new QueryConsumerOffsetHeader { ConsumerGroup = Encoding.UTF8.GetBytes(Pulls.Group), Topic = Encoding.UTF8.GetBytes(Topic) });
        return OffsetResponseHeader.Read(reply.Fields).Offset;
    }
}
