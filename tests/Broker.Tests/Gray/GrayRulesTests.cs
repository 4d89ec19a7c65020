using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Gray;

/// <summary>The rules of gray release one by one, on the wire.</summary>
public sealed class GrayRulesTests : GrayWireTests
{
    [Fact]
    public async Task Send_ToAGrayTopic_IsMovedToAQueueOfItsSideAndSaysSo()
    {
        await using GrayFixture gray = await StartAsync();

        for (int queueId = 0; queueId < 6; queueId++)
        {
            int ofGray = await gray.SendAsync(Topic, "g", gray: true, queueId);
            int ofNormal = await gray.SendAsync(Topic, "n", gray: false, queueId);

            Assert.True(ofGray is 0 or 5);
            Assert.InRange(ofNormal, 1, 4);
            Assert.Equal(ofGray, await gray.SendAsync(Topic, "g", gray: true, queueId));
        }
    }

    [Fact]
    public async Task Send_OfAGrayProducer_IsMarkedAndMoved()
    {
        await using GrayFixture gray = await StartAsync();
        await gray.State.OpenAsync("P", glob: "canary-*", GrayReleaseKind.Producer);
        Peer producer = gray.Broker.Connect("canary-1");
        RemotingCommand heard = await producer.HeartbeatAsync("""{"clientID":"canary-1","producerDataSet":[{"groupName":"P"}]}""");
        Assert.Equal(ResponseCode.Success, heard.ResponseCode);

        RemotingCommand reply = await producer.SendAsync(Sends.Header(Topic, 2, Sends.Properties((GrayMark.Property, "false"))), "g");
        int queueId = SendMessageResponseHeader.Read(reply.Fields).QueueId;

        Assert.True(queueId is 0 or 5);
        Assert.Equal("true", (await gray.Admin.ReadAsync(Topic, 0, queueId)).Properties[GrayMark.Property]);
    }

    [Fact]
    public async Task Send_DelayedGrayMessage_IsMovedWhenItIsDue()
    {
        await using GrayFixture gray = await StartAsync(("messageDelayLevel", "1s 2s"));

        RemotingCommand reply = await gray.Admin.SendAsync(
            Sends.Header(Topic, 3, Sends.Properties((GrayMark.Property, "true"), ("DELAY", "1"))), "late");
        Assert.Equal(3, SendMessageResponseHeader.Read(reply.Fields).QueueId);

        int used = new GrayQueues(6, 2).Map(3, Side.Gray);
        Assert.Equal("late", Encoding.UTF8.GetString((await gray.Admin.ReadAsync(Topic, 0, used)).Body.Span));
        Assert.Equal(0, await gray.Admin.MaxOffsetAsync(Topic, 3));
    }

    [Fact]
    public async Task Pull_OfAQueueOfTheOtherSide_IsParkedWhateverArrives()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);

        Task<RemotingCommand> parked = await canary.ParkAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null, suspendMs: 60_000));
        await gray.SendAsync(Topic, "n", gray: false, 1);
        RemotingCommand own = await normal.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null, suspendMs: 10_000));

        Assert.Equal(["n"], Pulls.Bodies(own));
        Assert.False(parked.IsCompleted);
        RemotingCommand atOnce = await canary.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null));
        Assert.Equal(ResponseCode.PullNotFound, atOnce.ResponseCode);
        Assert.Equal(0, PullMessageResponseHeader.Read(atOnce.Fields).NextBeginOffset);
    }

    // RemoteBrokerOffsetStore.updateConsumeOffsetToBroker, of a queue that the client was allocated before its side owned it
    [Fact]
    public async Task Commit_FromTheOtherSideOrDownwards_DoesNotCount()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        for (int i = 0; i < 5; i++)
        {
            await gray.SendAsync(Topic, "n", gray: false, 1);
        }

        await CommitAsync(canary, 1, 4);
        Assert.Equal(0, await gray.CommittedAsync(Group, Topic, 1));
        await CommitAsync(normal, 1, 3);
        Assert.Equal(3, await gray.CommittedAsync(Group, Topic, 1));
        await CommitAsync(normal, 1, 2);
        Assert.Equal(3, await gray.CommittedAsync(Group, Topic, 1));
    }

    [Fact]
    public async Task FirstGrayClient_WithMessagesBefore_GetsTheQueueFromTheBoundaryOnOnceTheyAreConsumed()
    {
        await using GrayFixture gray = await StartAsync();
        Peer normal = await JoinAsync(gray, "v1-1");
        await gray.SendAsync(Topic, "before-1", gray: true, 0);
        await gray.SendAsync(Topic, "before-2", gray: true, 0);
        await gray.State.OpenAsync(Group);
        Peer canary = await JoinAsync(gray, "v2-1");
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: true, Boundary: 2 }, "queue 0 is being handed over");
        await gray.SendAsync(Topic, "after", gray: true, 0);

        // DefaultMQPushConsumerImpl.pullMessage of the side that gives it up: up to the boundary, and held there.
        RemotingCommand before = await normal.PullAsync(Pulls.Header(Topic, 0, expression: null, suspendMs: 10_000));
        Assert.Equal(["before-1", "before-2"], Pulls.Bodies(before));
        Assert.Equal(ResponseCode.PullNotFound, (await normal.PullAsync(Pulls.Header(Topic, 2, expression: null))).ResponseCode);
        Assert.Equal(ResponseCode.PullNotFound, (await canary.PullAsync(Pulls.Header(Topic, 0, expression: null))).ResponseCode);
        Assert.Equal(ResponseCode.PullNotFound, (await canary.PullAsync(Pulls.Header(Topic, 2, expression: null))).ResponseCode);

        await CommitAsync(normal, 0, 99);
        Assert.Equal(2, await gray.CommittedAsync(Group, Topic, 0));
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: false, Owner: Side.Gray }, "queue 0 is gray");

        // RebalancePushImpl.computePullFromWhere was before the handover: the client goes on where the group is.
        RemotingCommand stale = await canary.PullAsync(Pulls.Header(Topic, 0, expression: null));
        Assert.Equal(ResponseCode.PullRetryImmediately, stale.ResponseCode);
        Assert.Equal(2, PullMessageResponseHeader.Read(stale.Fields).NextBeginOffset);
        Assert.Equal(["after"], Pulls.Bodies(await canary.PullAsync(Pulls.Header(Topic, 2, expression: null, suspendMs: 10_000))));
    }

    [Fact]
    public async Task ConsumerList_WhileOpen_HoldsTheCallersOwnSide()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        Peer second = await JoinAsync(gray, "v1-2");

        Assert.Equal(["v1-1", "v1-2"], await MembersAsync(normal));
        Assert.Equal(["v1-1", "v1-2"], await MembersAsync(second));
        Assert.Equal(["v2-1"], await MembersAsync(canary));

        // MQClientAPIImpl.getConsumerIdListByGroup, reconnected before sendHeartbeatToAllBroker: both sides are at this address.
        Peer unknown = gray.Broker.Connect("v2-9");
        RemotingCommand reply = await unknown.AskAsync(
            RequestCode.GetConsumerListByGroup, new GetConsumerListByGroupHeader { ConsumerGroup = Group });
        Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
    }

    [Fact]
    public async Task Flag_OfAHeartbeat_DoesNotCountAgainstAStoredSide()
    {
        await using GrayFixture gray = await StartAsync();
        Peer claiming = gray.Broker.Connect("v1-1");
        Assert.Equal(ResponseCode.Success, (await BeatAsync()).ResponseCode);
        Peer canary = await JoinAsync(gray, "v2-1");
        await gray.SendAsync(Topic, "g", gray: true, 0);

        // Without a release nobody has a side, whatever he says.
        Assert.Equal(["g"], Pulls.Bodies(await canary.PullAsync(Pulls.Header(Topic, 0, expression: null))));
        await gray.State.SetReleaseAsync(Group, release => release with
        {
            Clients = new Dictionary<string, Side> { ["v1-1"] = Side.Normal },
            Rules = [new GrayRule { Kind = GrayRuleKind.ClientId, Pattern = "v2-*" }],
        });
        Assert.Equal(ResponseCode.Success, (await BeatAsync()).ResponseCode);
        Peer normal = await JoinAsync(gray, "v1-2");

        Assert.Equal(["v1-1", "v1-2"], await MembersAsync(normal));
        Assert.Equal(["v1-1", "v1-2"], await MembersAsync(claiming));

        Task<RemotingCommand> BeatAsync() => BeatFlagAsync(claiming, "v1-1", flag: true);
    }

    // A service takes its flag back as soon as its promotion is over, and the name server is not obliged to have told all brokers by then.
    [Fact]
    public async Task Flag_TakenBackBeforeTheBrokerHearsThatThePromotionIsOver_DoesNotRetireTheWinner()
    {
        await using GrayFixture gray = await StartAsync();
        await gray.State.SetReleaseAsync(Group, release => release);
        Peer promoted = gray.Broker.Connect("v2-1");
        Assert.Equal(ResponseCode.Success, (await BeatFlagAsync(promoted, "v2-1", flag: true)).ResponseCode);
        Peer replaced = await JoinAsync(gray, "v1-1");
        await gray.State.SetReleaseAsync(
            Group, release => release with { State = GrayReleaseState.Promoting, Promotion = GrayPromotion.Replace });
        await gray.State.DoneAsync(Group);

        Assert.Equal(ResponseCode.Success, (await BeatFlagAsync(promoted, "v2-1", flag: false)).ResponseCode);
        Assert.Equal(["v1-1"], await MembersAsync(replaced));
        await gray.State.SetReleaseAsync(Group, release => release with { State = GrayReleaseState.Promoted });

        await gray.SendAsync(Topic, "after", gray: false, 1);
        Assert.Equal(["after"], Pulls.Bodies(await promoted.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null))));
        Assert.Equal(
            ResponseCode.PullNotFound, (await replaced.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null))).ResponseCode);
    }

    // RebalanceImpl.lock: both sides are allocated all queues.
    [Fact]
    public async Task Locks_OfBothSides_DoNotRefuseEachOther()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        Peer second = await JoinAsync(gray, "v2-2");

        Assert.Single(await LockAsync(normal));
        Assert.Single(await LockAsync(canary));
        Assert.Empty(await LockAsync(second));
    }

    [Fact]
    public async Task Pop_WhileOpen_TakesFromQueuesOfTheOwnSide()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        for (int i = 0; i < 6; i++)
        {
            await gray.SendAsync(Topic, $"n{i}", gray: false, i);
            await gray.SendAsync(Topic, $"g{i}", gray: true, i);
        }

        List<Popped> ofGray = await canary.TakeAsync(Pops.Header(Topic, group: Group), 6);
        List<Popped> ofNormal = await normal.TakeAsync(Pops.Header(Topic, group: Group), 6);

        Assert.Equal(["g0", "g1", "g2", "g3", "g4", "g5"], ofGray.Select(message => message.Body).Order());
        Assert.Equal(["n0", "n1", "n2", "n3", "n4", "n5"], ofNormal.Select(message => message.Body).Order());

        // Promoted with messages in hand: what is popped and not acknowledged is drained as well.
        Task promoted = gray.State.PromoteAsync(Group);
        await Eventually.TrueAsync(
            () => gray.State.Progress!.Queues.Any(queue => queue.Reason?.Contains("not acknowledged", StringComparison.Ordinal) == true),
            "the promotion waits for acknowledgements");
        Assert.False(promoted.IsCompleted);
        await gray.SendAsync(Topic, "later", gray: true, 0);
        foreach (Popped message in ofGray)
        {
            Assert.Equal(ResponseCode.Success, (await canary.AckAsync(message)).ResponseCode);
        }

        await promoted;
        Assert.Equal("later", Assert.Single(await normal.TakeAsync(Pops.Header(Topic, group: Group), 1)).Body);
    }

    [Fact]
    public async Task Restart_InTheMiddleOfAHandover_GoesOnWithIt()
    {
        await using GrayFixture gray = await StartAsync();
        Peer normal = await JoinAsync(gray, "v1-1");
        await gray.SendAsync(Topic, "before", gray: true, 0);
        await gray.State.OpenAsync(Group);
        await JoinAsync(gray, "v2-1");
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: true, Boundary: 1 }, "queue 0 is being handed over");

        await gray.RestartAsync();
        normal = await JoinAsync(gray, "v1-1");
        Peer canary = await JoinAsync(gray, "v2-1");
        await gray.SendAsync(Topic, "after", gray: true, 0);

        Assert.Equal(["before"], Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 0, expression: null, suspendMs: 10_000))));
        await CommitAsync(normal, 0, 1);
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: false, Owner: Side.Gray }, "queue 0 is gray");
        Assert.Equal(["after"], Pulls.Bodies(await canary.PullAsync(Pulls.Header(Topic, 1, expression: null, suspendMs: 10_000))));
    }

    [Theory]
    [InlineData(GrayLeftover.Normal, 0)]
    [InlineData(GrayLeftover.Skip, 3)]
    public async Task Withdraw_WithMessagesLeft_GivesThemToTheNormalSideOrSkipsThem(GrayLeftover leftover, long givenUp)
    {
        await using GrayFixture gray = await StartAsync(("grayWithdrawWaitMs", "200"));
        (Peer normal, Peer canary) = await OpenAsync(gray);
        for (int i = 0; i < 3; i++)
        {
            await gray.SendAsync(Topic, $"g{i}", gray: true, 0);
        }

        await gray.State.SetReleaseAsync(
            Group, release => release with { State = GrayReleaseState.Withdrawing, Leftover = leftover });
        await gray.State.DoneAsync(Group);
        Assert.Equal(givenUp, gray.State.Progress!.Releases.Single(release => release.Group == Group).GivenUp);
        await gray.State.SetReleaseAsync(Group, release => release with { State = GrayReleaseState.Withdrawn });

        RemotingCommand left = await normal.PullAsync(Pulls.Header(Topic, givenUp, expression: null));
        Assert.Equal(leftover == GrayLeftover.Normal ? ["g0", "g1", "g2"] : [], Pulls.Bodies(left));
        RemotingCommand retired = await canary.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null));
        Assert.Equal(ResponseCode.PullNotFound, retired.ResponseCode);
    }

    [Fact]
    public async Task PromoteByJoin_OfSidesThatSubscribeDifferently_DoesNotBegin()
    {
        await using GrayFixture gray = await StartAsync();
        await JoinAsync(gray, "v1-1");
        await gray.State.OpenAsync(Group);
        await JoinAsync(gray, "v2-1", expression: "B");
        await gray.State.DoneAsync(Group);

        await gray.State.SetReleaseAsync(
            Group, release => release with { State = GrayReleaseState.Promoting, Promotion = GrayPromotion.Join });

        await Eventually.TrueAsync(
            () => gray.State.Progress!.Releases.Single(release => release.Group == Group)
                is { State: GrayReleaseState.Promoting, IsDone: false, SubscriptionsDiffer: true, Reason: not null },
            "the broker says why it does not begin");

        // By which a name server refuses it before it begins.
        var status = await gray.Admin.AskAsync<GetBrokerGrayStatusHeader, BrokerGrayStatus>(
            RequestCode.GetBrokerGrayStatus, new GetBrokerGrayStatusHeader { Group = Group });
        Assert.Equal(
            [(false, Topic, "TAG", "*"), (true, Topic, "TAG", "B")],
            status.Subscriptions.Select(each => (each.Gray, each.Topic, each.ExpressionType, each.Expression)));
        Assert.Equal(Side.Gray, Queue(gray, 0)!.Owner);
    }

    [Fact]
    public async Task QueueCount_OfAGrayTopic_CannotBeChanged()
    {
        await using GrayFixture gray = await StartAsync();

        RemotingCommand refused = await gray.Admin.CreateTopicAsync(Topic, 8);
        Assert.Equal(ResponseCode.InvalidParameter, refused.ResponseCode);
        Assert.Equal(
            "topic Orders is gray with 2 of 6 queues: it cannot have 8 to read and 8 to write before it is switched off", refused.Remark);
        Assert.Equal(ResponseCode.Success, (await gray.Admin.CreateTopicAsync(Topic, 6)).ResponseCode);

        await gray.State.TellAsync(snapshot => snapshot with { Topics = [] });
        Assert.Equal(ResponseCode.Success, (await gray.Admin.CreateTopicAsync(Topic, 8)).ResponseCode);
    }

    [Fact]
    public async Task SwitchingOn_WhereATopicHasTooFewQueues_IsNotDone()
    {
        await using GrayFixture gray = await GrayFixture.StartAsync();
        await gray.CreateAsync(Topic, queues: 4);

        await gray.State.SetTopicAsync(Topic, 6, GrayTopicState.Enabling);

        GrayTopicProgress progress = Assert.Single(gray.State.Progress!.Topics);
        Assert.Equal((false, "the topic has 4 queues here, the gray state says 6"), (progress.IsDone, progress.Reason));
        await gray.State.SetTopicAsync(Topic, 4, GrayTopicState.Enabling);
        Assert.True(Assert.Single(gray.State.Progress!.Topics).IsDone);
    }

    [Fact]
    public async Task Force_OfAHandoverThatDoesNotEnd_EndsItAndCounts()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, _) = await OpenAsync(gray);
        await gray.SendAsync(Topic, "stuck-1", gray: true, 0);
        await gray.SendAsync(Topic, "stuck-2", gray: true, 0);
        await gray.State.SetReleaseAsync(
            Group, release => release with { State = GrayReleaseState.Promoting, Promotion = GrayPromotion.Join });
        await Eventually.TrueAsync(
            () => Queue(gray, 0)?.Reason == "the gray side has 2 messages before offset 2 to consume", "the reason is shown");

        await gray.State.SetReleaseAsync(Group, release => release with { Forced = 1 });
        await gray.State.DoneAsync(Group);

        Assert.Equal(2, gray.State.Progress!.Releases.Single(release => release.Group == Group).GivenUp);
        Assert.Equal(
            ["stuck-1", "stuck-2"],
            Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 0, expression: null, suspendMs: 10_000))));
    }

    private static Task<RemotingCommand> BeatFlagAsync(Peer peer, string clientId, bool flag) => peer.HeartbeatAsync(
        $$"""
        {"clientID":"{{clientId}}","consumerDataSet":[{"groupName":"G","consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING",
         "consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","grayFlag":{{(flag ? "true" : "false")}},
         "subscriptionDataSet":[{"topic":"Orders","subString":"*","expressionType":"TAG","subVersion":1}]}]}
        """);
}
