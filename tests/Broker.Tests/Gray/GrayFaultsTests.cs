using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Serving;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Gray;

/// <summary>What happens to sides and owners when brokers, clients or topics come and go at the wrong moment.</summary>
public sealed class GrayFaultsTests : GrayWireTests
{
    [Fact]
    public async Task End_WhileAClientReconnects_RetiresItAllTheSame()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        await canary.DisposeAsync();
        await gray.State.WithdrawAsync(Group, GrayLeftover.Normal);
        await gray.SendAsync(Topic, "n", gray: false, 1);

        canary = await JoinAsync(gray, "v2-1");

        RemotingCommand retired = await canary.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null));
        Assert.Equal(ResponseCode.PullNotFound, retired.ResponseCode);
        Assert.Equal(["n"], Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null))));
    }

    [Fact]
    public async Task End_WhileTheBrokerIsAway_RetiresTheLosersWhenItIsBack()
    {
        await using GrayFixture gray = await StartAsync();
        await OpenAsync(gray);
        await gray.SendAsync(Topic, "n", gray: false, 1);
        await gray.StopAsync();
        Task ended = gray.State.SetReleaseAsync(
            Group, release => release with { State = GrayReleaseState.Promoted, Promotion = GrayPromotion.Replace });
        await gray.StartAgainAsync();
        await ended;

        Peer retired = await JoinAsync(gray, "v1-1");
        Peer promoted = await JoinAsync(gray, "v2-1");

        Assert.Equal(
            ResponseCode.PullNotFound, (await retired.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null))).ResponseCode);
        Assert.Equal(["n"], Pulls.Bodies(await promoted.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null))));
    }

    [Fact]
    public async Task End_AndARestart_OfClientsThatHoldOldOffsets_DoesNotTakeTheGroupBack()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, _) = await OpenAsync(gray);
        for (int i = 0; i < 3; i++)
        {
            await gray.SendAsync(Topic, $"n{i}", gray: false, 1);
        }

        await normal.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null));
        await CommitAsync(normal, 1, 3);
        await gray.State.PromoteAsync(Group);

        // DefaultMQPushConsumerImpl of the gray side was allocated the queue at 0, and persists that every 5 s.
        await gray.RestartAsync();
        Peer canary = await JoinAsync(gray, "v2-1");
        await CommitAsync(canary, 1, 0);

        Assert.Equal(3, await gray.CommittedAsync(Group, Topic, 1));
        RemotingCommand stale = await canary.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null));
        Assert.Equal(ResponseCode.PullRetryImmediately, stale.ResponseCode);
        Assert.Equal(3, PullMessageResponseHeader.Read(stale.Fields).NextBeginOffset);
    }

    [Fact]
    public async Task Release_OpenedWhileRetiredClientsRun_DoesNotReviveThem()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer first) = await OpenAsync(gray);
        await gray.State.WithdrawAsync(Group, GrayLeftover.Normal);
        await gray.State.OpenAsync(Group, glob: "v3-*");
        Peer second = await JoinAsync(gray, "v3-1");
        await Eventually.TrueAsync(() => Queue(gray, 0) is { Owner: Side.Gray, IsHandedOver: false }, "queue 0 is gray");
        await gray.SendAsync(Topic, "n", gray: false, 1);
        await gray.SendAsync(Topic, "g", gray: true, 0);

        Assert.Equal(
            ResponseCode.PullNotFound, (await first.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null))).ResponseCode);
        Assert.Equal(ResponseCode.PullNotFound, (await first.PullAsync(Pulls.Header(Topic, 0, expression: null))).ResponseCode);
        Assert.Equal(["n"], Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null))));
        Assert.Equal(["g"], Pulls.Bodies(await second.PullAsync(Pulls.Header(Topic, 0, expression: null))));
    }

    // MQClientInstance of either side, reconnected by a request of its pulls before its next heartbeat: all others are at its address, too.
    [Theory]
    [InlineData("v1-1", 0)]
    [InlineData("v2-1", 1)]
    public async Task Connection_BeforeItsHeartbeatAfterARestart_IsNotTakenForThoseWhoAreBackAlready(string back, int queueOfTheirs)
    {
        await using GrayFixture gray = await StartAsync();
        await OpenAsync(gray);
        await gray.SendAsync(Topic, "g", gray: true, 0);
        await gray.SendAsync(Topic, "n", gray: false, 1);
        await gray.RestartAsync();
        Peer known = await JoinAsync(gray, back);
        await Eventually.TrueAsync(() => Queue(gray, 0) is { Owner: Side.Gray }, "the broker reports");
        Peer unknown = gray.Broker.Connect("nobody knows");

        for (int queueId = 0; queueId < 2; queueId++)
        {
            RemotingCommand reply = await unknown.PullAsync(Pulls.Header(Topic, 0, queueId));
            Assert.Equal(ResponseCode.PullNotFound, reply.ResponseCode);
        }

        Assert.Empty(Pulls.Bodies(await known.PullAsync(Pulls.Header(Topic, 0, queueOfTheirs))));
        Assert.Single(Pulls.Bodies(await known.PullAsync(Pulls.Header(Topic, 0, 1 - queueOfTheirs))));
    }

    // MQClientInstance of the normal side: its pull comes before its heartbeat, and was parked by what the gray side subscribes to.
    [Fact]
    public async Task Connection_BeforeItsHeartbeatAfterARestart_IsNotFilteredByTheOtherSidesSubscription()
    {
        await using GrayFixture gray = await StartAsync();
        Peer normal = await JoinAsync(gray, "v1-1", "A || B", version: 1);
        await gray.State.OpenAsync(Group);
        Peer canary = await JoinAsync(gray, "v2-1", "A", version: 2);
        await Eventually.TrueAsync(() => Queue(gray, 1) is { Owner: Side.Normal }, "queue 1 is normal");
        await gray.SendAsync(Topic, "n", gray: false, 1, "B");
        await gray.RestartAsync();

        normal = gray.Broker.Connect("v1-1");
        Task<RemotingCommand> parked = await normal.ParkAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null, suspendMs: 60_000));
        await normal.HeartbeatAsync(Group, [ClientsFixture.To(Topic, "A || B", 1)]);

        RemotingCommand answer = await parked;
        Assert.Equal(0, PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset);
        Assert.Equal(["n"], Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null, suspendMs: 10_000))));
    }

    // MQClientInstance, connected anew from an address where one side alone is known: its pull comes before its heartbeat.
    [Fact]
    public async Task Connection_BeforeItsHeartbeat_IsNotTakenPastWhatOthersOfItsSideDidNotSubscribeTo()
    {
        await using GrayFixture gray = await StartAsync();
        await JoinAsync(gray, "v1-1", "A");
        await gray.State.OpenAsync(Group);
        await Eventually.TrueAsync(() => Queue(gray, 1) is { Owner: Side.Normal }, "queue 1 is normal");
        Peer unknown = gray.Broker.Connect("v1-2");
        Task<RemotingCommand> parked = await unknown.ParkAsync(
            Pulls.Header(Topic, 0, queueId: 1, expression: null, suspendMs: 60_000));

        await gray.SendAsync(Topic, "b", gray: false, 1, "B");
        await gray.SendAsync(Topic, "a", gray: false, 1, "A");

        Assert.Equal(0, PullMessageResponseHeader.Read((await parked).Fields).NextBeginOffset);
        await unknown.HeartbeatAsync(Group, [ClientsFixture.To(Topic, "A || B", 2)]);
        await Eventually.TrueAsync(
            async () => Pulls.Bodies(await unknown.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null))) is ["b", "a"],
            "it is given both");
    }

    // PushConsumer goes on after a broker's restart and tells it of itself up to 30 s later. Both versions are at one address here, so that
    // till then nobody can say whose commit it is; another client of its side that was heard of is the only member.
    [Fact]
    public async Task Commit_BeforeTheHeartbeatAfterARestart_DoesNotCountAndTheMessageIsGivenToAnotherOfItsSide()
    {
        await using GrayFixture gray = await StartAsync();
        await OpenAsync(gray);
        await gray.SendAsync(Topic, "n", gray: false, 1);
        await gray.RestartAsync();

        Peer first = gray.Broker.Connect("v1-1");
        await CommitAsync(first, 1, 1);
        Peer second = await JoinAsync(gray, "v1-2");

        Assert.Equal(["v1-2"], await MembersAsync(second));
        Assert.Equal(["n"], Pulls.Bodies(await second.PullAsync(Pulls.Header(Topic, 0, queueId: 1, expression: null, suspendMs: 10_000))));

        await first.HeartbeatAsync(Group, [ClientsFixture.To(Topic, "*", 1)]);
        await CommitAsync(first, 1, 1);
        Assert.Equal(["v1-1", "v1-2"], await MembersAsync(second));
        Assert.Equal(1, await gray.CommittedAsync(Group, Topic, 1));
    }

    [Fact]
    public async Task Withdraw_RightAfterARestart_WaitsForWhatReturningClientsHaveConsumed()
    {
        await using GrayFixture gray = await StartAsync(("grayWithdrawWaitMs", "0"));
        (Peer normal, Peer canary) = await OpenAsync(gray);
        await gray.SendAsync(Topic, "g", gray: true, 0);
        Assert.Equal(["g"], await TakeAsync(canary, 0));
        await gray.RestartAsync();
        await JoinAsync(gray, "v1-1");
        await gray.State.SetReleaseAsync(
            Group, release => release with { State = GrayReleaseState.Withdrawing, Leftover = GrayLeftover.Normal });
        await Eventually.TrueAsync(() => Queue(gray, 0) is { Owner: Side.Gray, IsHandedOver: true, Boundary: 1 }, "queue 0 is not given up on");

        await CommitAsync(await JoinAsync(gray, "v2-1"), 0, 1);
        await gray.State.DoneAsync(Group);

        Assert.Equal(1, await gray.CommittedAsync(Group, Topic, 0));
    }

    [Fact]
    public async Task Connection_BeforeItsHeartbeatAfterTheEndAndARestart_IsNotFilteredByWhatARetiredSideSubscribedTo()
    {
        await using GrayFixture gray = await StartAsync();
        Peer normal = await JoinAsync(gray, "v1-1", "A || B", version: 1);
        await gray.State.OpenAsync(Group);
        await JoinAsync(gray, "v2-1", "A", version: 2);
        await Eventually.TrueAsync(() => Queue(gray, 1) is { Owner: Side.Normal }, "queue 1 is normal");
        await gray.State.WithdrawAsync(Group, GrayLeftover.Normal);
        await gray.SendAsync(Topic, "n", gray: false, 1, "B");
        await gray.RestartAsync();

        QuerySubscriptionResponseBody known = await gray.Admin.AskAsync<GroupTopicHeader, QuerySubscriptionResponseBody>(
            RequestCode.QuerySubscriptionByConsumer, new GroupTopicHeader { Group = Group, Topic = Topic });
        Assert.Equal("A || B", known.SubscriptionData?.SubString);
    }

    [Fact]
    public async Task Connection_BeforeItsHeartbeatAfterTheEnd_MayBeThatOfARetiredClient()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        await gray.State.WithdrawAsync(Group, GrayLeftover.Normal);
        await gray.SendAsync(Topic, "n", gray: false, 1);
        await canary.DisposeAsync();
        await Eventually.TrueAsync(
            async () => !(await gray.Admin.AskAsync<GetBrokerGrayStatusHeader, BrokerGrayStatus>(
                RequestCode.GetBrokerGrayStatus, new GetBrokerGrayStatusHeader { Group = Group })).Clients.Exists(client => client.ClientId == "v2-1"),
            "the retired client's connection is gone");

        Peer unknown = gray.Broker.Connect("v2-1");
        Assert.Equal(ResponseCode.PullNotFound, (await unknown.PullAsync(Pulls.Header(Topic, 0, queueId: 1))).ResponseCode);
        Assert.Equal(["n"], Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 0, queueId: 1))));
    }

    [Fact]
    public async Task Topic_DeletedAndMadeAgain_IsOwnedFromItsFirstMessageOn()
    {
        await using GrayFixture gray = await StartAsync();
        Peer normal = await JoinAsync(gray, "v1-1");
        for (int i = 0; i < 3; i++)
        {
            await gray.SendAsync(Topic, $"old-{i}", gray: true, 0);
        }

        await gray.State.OpenAsync(Group);
        Peer canary = await JoinAsync(gray, "v2-1");
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: true, Boundary: 3 }, "queue 0 is being handed over");

        await gray.Admin.AskAsync(RequestCode.DeleteTopicInBroker, new TopicHeader(Topic));
        await gray.CreateAsync(Topic);
        await Eventually.TrueAsync(
            () => Queue(gray, 0) is { IsHandedOver: false, Owner: Side.Gray, Max: 0 }, "queue 0 of the new topic is gray");
        await gray.SendAsync(Topic, "new", gray: true, 0);
        await gray.RestartAsync();
        normal = await JoinAsync(gray, "v1-1");
        canary = await JoinAsync(gray, "v2-1");

        Assert.Equal(ResponseCode.PullNotFound, (await normal.PullAsync(Pulls.Header(Topic, 0, expression: null))).ResponseCode);
        Assert.Equal(["new"], await TakeAsync(canary, 0));
    }

    [Fact]
    public async Task Group_DeletedWithItsOffsets_TakesCommitsOfClientsThatHadNotPulledYet()
    {
        await using GrayFixture gray = await StartAsync();
        (_, Peer canary) = await OpenAsync(gray);
        await gray.SendAsync(Topic, "g", gray: true, 0);
        RemotingCommand deleted = await gray.Admin.AskAsync(
            RequestCode.DeleteSubscriptionGroup, new DeleteSubscriptionGroupHeader(Group, CleanOffset: true));
        Assert.Equal(ResponseCode.Success, deleted.ResponseCode);

        Assert.Equal(["g"], Pulls.Bodies(await canary.PullAsync(Pulls.Header(Topic, 0, expression: null))));
        await CommitAsync(canary, 0, 1);

        Assert.Equal(1, await gray.CommittedAsync(Group, Topic, 0));
    }

    // A broker that joins the cluster has none of its topics yet.
    [Fact]
    public async Task Topic_MadeAfterTheBrokerHasHeardOfIt_IsGray()
    {
        await using GrayFixture gray = await GrayFixture.StartAsync();
        await gray.State.SetTopicAsync(Topic, 6);
        await gray.CreateAsync(Topic);

        await Eventually.TrueAsync(async () => await gray.SendAsync(Topic, "g", gray: true, 3) == 5, "the topic is gray");
    }

    [Fact]
    public async Task Topic_SwitchedOffAndOnBeforeItsQueuesChangedHands_KeepsWhatCameBetweenNormal()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        await gray.SendAsync(Topic, "g0", gray: true, 0);
        await gray.SendAsync(Topic, "g1", gray: true, 0);
        await gray.State.SetTopicAsync(Topic, 6, GrayTopicState.Off);
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: true, Boundary: 2 }, "queue 0 is being handed back");
        GrayTopicProgress off = Assert.Single(gray.State.Progress!.Topics);
        Assert.False(off.IsDone);
        Assert.Contains("queue 0: the gray side has 2 messages before offset 2 to consume", off.Reason, StringComparison.Ordinal);
        await gray.SendAsync(Topic, "n2", gray: false, 0);
        await gray.State.SetTopicAsync(Topic, 6);
        await gray.SendAsync(Topic, "g3", gray: true, 0);

        Assert.Equal(["g0", "g1"], Pulls.Bodies(await canary.PullAsync(Pulls.Header(Topic, 0, expression: null))));
        await CommitAsync(canary, 0, 2);
        Assert.Equal(["n2"], await TakeAsync(normal, 2));
        await CommitAsync(normal, 0, 3);
        Assert.Equal(["g3"], await TakeAsync(canary, 3));
    }

    [Fact]
    public async Task Topic_SwitchedOnAndOffBeforeItsQueuesChangedHands_KeepsWhatCameBetweenGray()
    {
        await using GrayFixture gray = await StartAsync();
        await gray.State.SetTopicAsync(Topic, 6, GrayTopicState.Off);
        Peer normal = await JoinAsync(gray, "v1-1");
        await gray.State.OpenAsync(Group);
        Peer canary = await JoinAsync(gray, "v2-1");
        await gray.SendAsync(Topic, "n0", gray: false, 0);
        await gray.State.SetTopicAsync(Topic, 6);
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: true, Boundary: 1 }, "queue 0 is being handed over");
        await gray.SendAsync(Topic, "g1", gray: true, 0);
        await gray.State.SetTopicAsync(Topic, 6, GrayTopicState.Off);
        await gray.SendAsync(Topic, "n2", gray: false, 0);

        Assert.Equal(["n0"], await TakeAsync(normal, 0));
        await CommitAsync(normal, 0, 1);
        Assert.Equal(["g1"], await TakeAsync(canary, 1));
        await CommitAsync(canary, 0, 2);
        Assert.Equal(["n2"], await TakeAsync(normal, 2));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Withdraw_WithMessagesInHand_WaitsForThem(bool restarted)
    {
        await using GrayFixture gray = await StartAsync(("grayWithdrawWaitMs", "600000"));
        (Peer normal, Peer canary) = await OpenAsync(gray);
        await gray.SendAsync(Topic, "g0", gray: true, 0);
        await gray.SendAsync(Topic, "g1", gray: true, 0);
        Assert.Equal(["g0", "g1"], Pulls.Bodies(await canary.PullAsync(Pulls.Header(Topic, 0, expression: null))));
        if (restarted)
        {
            await gray.RestartAsync();
            normal = await JoinAsync(gray, "v1-1");
            canary = await JoinAsync(gray, "v2-1");
        }
        else
        {
            // Another client of its side comes by with less: what was given stays given.
            Peer second = await JoinAsync(gray, "v2-2");
            Assert.Equal(["g0"], Pulls.Bodies(await second.PullAsync(Pulls.Header(Topic, 0, expression: null) with { MaxMessages = 1 })));
        }

        await gray.State.SetReleaseAsync(
            Group, release => release with { State = GrayReleaseState.Withdrawing, Leftover = GrayLeftover.Normal });
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: true, Boundary: 2 }, "the withdrawal waits for what was given");
        Assert.Equal(ResponseCode.PullNotFound, (await normal.PullAsync(Pulls.Header(Topic, 0, expression: null))).ResponseCode);

        await CommitAsync(canary, 0, 2);
        await gray.State.DoneAsync(Group);
        RemotingCommand behind = await normal.PullAsync(Pulls.Header(Topic, 0, expression: null));
        Assert.Equal(ResponseCode.PullRetryImmediately, behind.ResponseCode);
        Assert.Equal(2, PullMessageResponseHeader.Read(behind.Fields).NextBeginOffset);
    }

    // Requests that come while the boundary of a withdrawal is on its way to the disk, which takes some milliseconds.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Withdraw_WhileItsBoundaryIsWritten_GivesTheWithdrawnSideNothingMore(bool pops)
    {
        using var held = new HeldHandover();
        await using GrayFixture gray = await StartAsync(held);
        (Peer normal, Peer canary) = await OpenAsync(gray);
        await gray.SendAsync(Topic, "g0", gray: true, 0);
        await gray.SendAsync(Topic, "g1", gray: true, 0);

        held.Arm();
        Task withdrawn = gray.State.WithdrawAsync(Group, GrayLeftover.Normal);
        await held.HeldAsync();
        RemotingCommand given = pops
            ? await canary.PopAsync(Pops.Header(Topic, group: Group))
            : await canary.PullAsync(Pulls.Header(Topic, 0, expression: null));

        // It would be kept for longer than it is waited for: whoever asks meanwhile is woken, to be given what is left or to ask again.
        Task<RemotingCommand> parked = await normal.ParkAsync(Pulls.Header(Topic, 0, expression: null, suspendMs: 600_000));
        held.Release();
        await withdrawn;

        Assert.Equal(pops ? ResponseCode.PollingTimeout : ResponseCode.PullNotFound, given.ResponseCode);
        List<string> left = Pulls.Bodies(await parked);
        Assert.Equal(["g0", "g1"], left.Count > 0 ? left : await TakeAsync(normal, 0));
    }

    // A broker that was away when its answers were to be acknowledged: the side that had them in hand gets them again before it is retired.
    [Fact]
    public async Task Replace_WithPoppedMessagesThatComeBack_GivesThemToTheSideThatHadThem()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        await gray.SendAsync(Topic, "n", gray: false, 1);
        Assert.Equal("n", Assert.Single(await normal.TakeAsync(Pops.Header(Topic, group: Group, invisibleMs: 1_000), 1)).Body);

        Task promoted = gray.State.PromoteAsync(Group, GrayPromotion.Replace);
        Popped again = Assert.Single(await normal.TakeAsync(Pops.Header(Topic, group: Group), 1));
        Assert.Equal("n", again.Body);
        Assert.False(promoted.IsCompleted);
        Assert.Equal(ResponseCode.Success, (await normal.AckAsync(again)).ResponseCode);

        await promoted;
        Assert.Equal(ResponseCode.PollingTimeout, (await canary.PopAsync(Pops.Header(Topic, group: Group) with { PollTimeMs = 1 })).ResponseCode);
    }

    // A stock client that reads a topic by a subscription in its requests, which its heartbeats do not name.
    [Fact]
    public async Task Pull_OfATopicOfWhichNothingIsDecided_WaitsOnEitherSide()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        await gray.CreateAsync("Parcels");
        await gray.SendAsync("Parcels", "p", gray: false, 0);

        Assert.Equal(ResponseCode.PullNotFound, (await normal.PullAsync(Pulls.Header("Parcels", 0))).ResponseCode);
        Assert.Equal(ResponseCode.PullNotFound, (await canary.PullAsync(Pulls.Header("Parcels", 0))).ResponseCode);

        await normal.HeartbeatAsync(Group, [ClientsFixture.To(Topic), ClientsFixture.To("Parcels")]);
        Assert.Equal(["p"], await TakeAsync(normal, 0, "Parcels"));
        Assert.Equal(ResponseCode.PullNotFound, (await canary.PullAsync(Pulls.Header("Parcels", 0))).ResponseCode);
    }

    [Fact]
    public async Task Pull_ByAnOffsetAboveThatOfTheGroup_IsSentBackAndCommitsNothing()
    {
        await using GrayFixture gray = await StartAsync();
        (Peer normal, Peer canary) = await OpenAsync(gray);
        for (int i = 0; i < 5; i++)
        {
            await gray.SendAsync(Topic, $"g{i}", gray: true, 0);
        }

        await canary.PullAsync(Pulls.Header(Topic, 0, expression: null));
        await CommitAsync(canary, 0, 5);
        await gray.State.SetTopicAsync(Topic, 6, GrayTopicState.Off);
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: false, Owner: Side.Normal }, "queue 0 is normal");

        // While the gray side waits at 5, the group is set back, and what it consumes again is forced over to the gray side half-way.
        await gray.Admin.AskAsync(
            RequestCode.InvokeBrokerToResetOffset, new ResetOffsetHeader { Topic = Topic, Group = Group, QueueId = 0, Offset = 1 });
        RemotingCommand back = await normal.PullAsync(Pulls.Header(Topic, 5, expression: null));
        Assert.Equal(ResponseCode.PullOffsetMoved, back.ResponseCode);
        Assert.Equal(["g1", "g2", "g3", "g4"], Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 1, expression: null))));
        await CommitAsync(normal, 0, 3);
        await gray.State.SetTopicAsync(Topic, 6);
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: true, Boundary: 5 }, "queue 0 is being handed over");
        await gray.State.SetReleaseAsync(Group, release => release with { Forced = 1 });
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: false, Owner: Side.Gray }, "queue 0 is gray");

        // RemoteBrokerOffsetStore.persistAll of a queue that the client was allocated before
        await CommitAsync(canary, 0, 5);
        Assert.Equal(3, await gray.CommittedAsync(Group, Topic, 0));
        RemotingCommand stale = await canary.PullAsync(Pulls.Header(Topic, 5, expression: null));
        Assert.Equal(ResponseCode.PullOffsetMoved, stale.ResponseCode);
        Assert.Equal(3, PullMessageResponseHeader.Read(stale.Fields).NextBeginOffset);
        Assert.Equal(["g3", "g4"], Pulls.Bodies(await canary.PullAsync(Pulls.Header(Topic, 3, expression: null))));
        await CommitAsync(canary, 0, 5);
        Assert.Equal(5, await gray.CommittedAsync(Group, Topic, 0));
    }

    [Fact]
    public async Task Restart_OfALogThatLostItsEnd_HandsOverWhereItEnds()
    {
        await using GrayFixture gray = await StartAsync();
        await JoinAsync(gray, "v1-1");
        await gray.SendAsync(Topic, "g0", gray: true, 0);
        await gray.StopAsync();
        using var before = new KeptMessages(gray.Broker.StorePath);
        await gray.StartAgainAsync();
        Peer normal = await JoinAsync(gray, "v1-1");
        await gray.SendAsync(Topic, "lost-1", gray: true, 0);
        await gray.SendAsync(Topic, "lost-2", gray: true, 0);
        await gray.State.OpenAsync(Group);
        await JoinAsync(gray, "v2-1");
        await Eventually.TrueAsync(() => Queue(gray, 0) is { IsHandedOver: true, Boundary: 3 }, "queue 0 is being handed over");
        await gray.StopAsync();
        before.PutBack();
        await gray.StartAgainAsync();
        normal = await JoinAsync(gray, "v1-1");
        Peer canary = await JoinAsync(gray, "v2-1");
        await gray.SendAsync(Topic, "g1", gray: true, 0);

        Assert.Equal(["g0"], await TakeAsync(normal, 0));
        await CommitAsync(normal, 0, 1);
        Assert.Equal(["g1"], await TakeAsync(canary, 1));
    }

    [Fact]
    public async Task Withdraw_OfWhatWasHeld_SkipsItWhereThatIsAsked()
    {
        await using GrayFixture gray = await StartAsync();
        Peer normal = await JoinAsync(gray, "v1-1");
        await gray.State.SetReleaseAsync(Group, release => release with { Unsubscribed = GrayUnsubscribed.Hold });
        await Eventually.TrueAsync(() => Queue(gray, 0) is { Owner: null, IsHandedOver: false }, "queue 0 is held");
        for (int i = 0; i < 3; i++)
        {
            await gray.SendAsync(Topic, $"g{i}", gray: true, 0);
        }

        await gray.State.SetReleaseAsync(
            Group, release => release with { State = GrayReleaseState.Withdrawing, Leftover = GrayLeftover.Skip });
        await gray.State.DoneAsync(Group);

        Assert.Equal(3, gray.State.Progress!.Releases.Single(release => release.Group == Group).GivenUp);
        Assert.Equal(3, await gray.CommittedAsync(Group, Topic, 0));
        await gray.State.SetReleaseAsync(Group, release => release with { State = GrayReleaseState.Withdrawn });
        Assert.Empty(Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 3, expression: null))));
    }
}
