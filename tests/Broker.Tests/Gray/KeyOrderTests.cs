using GrayMQ.Broker.Serving;
using GrayMQ.Gray;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Gray;

/// <summary>Keys that move to another queue because their topic is switched on or off keep their order for who consumes in order.</summary>
public sealed class KeyOrderTests : GrayWireTests
{
    private const long SuspendMs = 60_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SwitchingOn_AGroupThatConsumesInOrder_IsGivenTheOldQueueFirst(bool restarted)
    {
        await using GrayFixture gray = await StartOffAsync();
        Peer client = await JoinInOrderAsync(gray, 0);
        Assert.Equal(0, await gray.SendAsync(Topic, "first", gray: false, 0));
        await gray.State.SetTopicAsync(Topic, 6);
        Assert.Equal(1, await gray.SendAsync(Topic, "second", gray: false, 0));
        if (restarted)
        {
            await gray.RestartAsync();
            client = await JoinAsync(gray, "c1");
        }

        await client.DispatchedAsync(Topic, 1);
        Task<RemotingCommand> second = await client.ParkAsync(Pulls.Header(Topic, 0, 1, suspendMs: SuspendMs));
        Assert.Equal(ResponseCode.PullNotFound, (await client.PullAsync(Pulls.Header(Topic, 0, 1))).ResponseCode);
        Assert.Equal(["first"], Pulls.Bodies(await client.PullAsync(Pulls.Header(Topic, 0))));
        Assert.False(second.IsCompleted);
        await CommitAsync(client, 0, 1);

        Assert.Equal(["second"], Pulls.Bodies(await second));
    }

    [Fact]
    public async Task SwitchingOnAndOff_AKeyThatMovesThereAndBack_KeepsItsOrder()
    {
        await using GrayFixture gray = await StartOffAsync();
        Peer client = await JoinInOrderAsync(gray, 0, 1);
        Assert.Equal(0, await gray.SendAsync(Topic, "first", gray: false, 0));
        await gray.State.SetTopicAsync(Topic, 6);
        Assert.Equal(1, await gray.SendAsync(Topic, "second", gray: false, 0));
        await gray.State.SetTopicAsync(Topic, 6, GrayTopicState.Off);
        Assert.Equal(0, await gray.SendAsync(Topic, "third", gray: false, 0));

        await client.DispatchedAsync(Topic, 1);
        Task<RemotingCommand> second = await client.ParkAsync(Pulls.Header(Topic, 0, 1, suspendMs: SuspendMs));
        Assert.Equal(["first"], Pulls.Bodies(await client.PullAsync(Pulls.Header(Topic, 0))));
        await CommitAsync(client, 0, 1);
        Assert.Equal(["second"], Pulls.Bodies(await second));
        Assert.Equal(ResponseCode.PullNotFound, (await client.PullAsync(Pulls.Header(Topic, 1))).ResponseCode);
        await CommitAsync(client, 1, 1);

        Assert.Equal(["third"], await TakeAsync(client, 1));
    }

    // Of the first topic queue 0 ended at 1, and the second has a message there as well.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Topic_DeletedAndMadeAgain_HasNoKeysThatWait(bool restarted)
    {
        await using GrayFixture gray = await StartOffAsync();
        Peer client = await JoinInOrderAsync(gray, 0);
        await gray.SendAsync(Topic, "first", gray: false, 0);
        await gray.State.SetTopicAsync(Topic, 6);
        RemotingCommand deleted = await gray.Admin.AskAsync(RequestCode.DeleteTopicInBroker, new TopicHeader(Topic));
        Assert.Equal(ResponseCode.Success, deleted.ResponseCode);
        await gray.CreateAsync(Topic);
        await Eventually.TrueAsync(async () => await gray.SendAsync(Topic, "probe", gray: true, 3) == 5, "the new topic is gray, too");
        Assert.Equal(0, await gray.SendAsync(Topic, "gray", gray: true, 0));
        if (restarted)
        {
            await gray.RestartAsync();
            client = await JoinAsync(gray, "c1");
        }

        await CommitAsync(client, 0, 0);
        Assert.Equal(1, await gray.SendAsync(Topic, "again", gray: false, 0));

        Assert.Equal(["again"], await TakeOneAsync(client, 1));
    }

    // Nothing comes to queue 0 in between: it is consumed as far as it is when it is switched on again, and queue 1 is not.
    [Fact]
    public async Task SwitchedToAnotherSize_AKeyThatMovedTwice_WaitsForTheQueueBeforeTheLast()
    {
        await using GrayFixture gray = await StartOffAsync();
        Peer client = await JoinInOrderAsync(gray, 0, 1);
        await gray.State.SetTopicAsync(Topic, 6);
        Assert.Equal(1, await gray.SendAsync(Topic, "first", gray: false, 0));
        await gray.State.SetTopicAsync(Topic, 6, GrayTopicState.Off);
        await gray.State.SetTopicAsync(Topic, 6, size: 4);
        Assert.Equal(2, await gray.SendAsync(Topic, "second", gray: false, 0));
        await client.DispatchedAsync(Topic, 1, 1);

        Task<RemotingCommand> second = await client.ParkAsync(Pulls.Header(Topic, 0, 2, suspendMs: SuspendMs));
        await CommitAsync(client, 1, 1);

        Assert.Equal(["second"], Pulls.Bodies(await second));
    }

    // A restart of the side that has the old queue: it is waited for, as long as grayReturnWaitMs says.
    [Fact]
    public async Task SwitchingOn_AKeyWhoseOldQueueIsItsSidesThatIsAwayForAMoment_WaitsStill()
    {
        await using GrayFixture gray = await StartOffAsync(("grayReturnWaitMs", "600000"));
        (Peer normal, Peer canary) = await MoveToTheOtherSideAsync(gray);
        await normal.DisposeAsync();
        await Eventually.TrueAsync(() => gray.State.Progress!.Releases[0].NormalClients == 0, "the normal side is away");

        Task<RemotingCommand> second = await canary.ParkAsync(Pulls.Header(Topic, 0, 0, suspendMs: SuspendMs));
        await Eventually.TrueAsync(
            () => Queue(gray, 0)?.Reason == "in order: what lies from offset 0 on waits until queue 2 is consumed up to 1", "the wait is reported");
        Assert.Empty(Pulls.Bodies(await canary.PullAsync(Pulls.Header(Topic, 0))));
        normal = await JoinAsync(gray, "v1-1");
        Assert.Equal(["first"], Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 0, 2, suspendMs: SuspendMs))));
        await CommitAsync(normal, 2, 1);

        // Who waited may have been asked to come again when the other side went or came.
        List<string> got = Pulls.Bodies(await second);
        Assert.Equal(["second"], got.Count > 0 ? got : await TakeAsync(canary, 0));
    }

    [Fact]
    public async Task SwitchingOn_AGroupThatDoesNotConsumeInOrder_WaitsForNothing()
    {
        await using GrayFixture gray = await StartOffAsync();
        Peer client = await JoinAsync(gray, "c1");
        await CommitAsync(client, 0, 0);
        await gray.SendAsync(Topic, "first", gray: false, 0);
        await gray.State.SetTopicAsync(Topic, 6);
        await gray.SendAsync(Topic, "second", gray: false, 0);

        Assert.Equal(["second"], Pulls.Bodies(await client.PullAsync(Pulls.Header(Topic, 0, 1, suspendMs: SuspendMs))));
    }

    [Fact]
    public async Task SwitchingOn_AKeyThatGoesToTheOtherSide_IsGivenItOnceThisOneHasConsumedIt()
    {
        await using GrayFixture gray = await StartOffAsync();
        (Peer normal, Peer canary) = await MoveToTheOtherSideAsync(gray);

        Task<RemotingCommand> second = await canary.ParkAsync(Pulls.Header(Topic, 0, 0, suspendMs: SuspendMs));
        await Eventually.TrueAsync(
            () => Queue(gray, 0)?.Reason == "in order: what lies from offset 0 on waits until queue 2 is consumed up to 1", "the wait is reported");
        Assert.Equal(["first"], Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 0, 2, suspendMs: SuspendMs))));
        Assert.False(second.IsCompleted);
        await CommitAsync(normal, 2, 1);

        Assert.Equal(["second"], Pulls.Bodies(await second));
    }

    // Who is to consume the old queue is gone, or is given up on: then nothing would end the wait, and nothing a promotion that waits for it.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SwitchingOn_AKeyWhoseOldQueueNobodyConsumes_DoesNotWait(bool forced)
    {
        await using GrayFixture gray = await StartOffAsync(("grayReturnWaitMs", "0"));
        (Peer normal, Peer canary) = await MoveToTheOtherSideAsync(gray);
        Task<RemotingCommand> second = await canary.ParkAsync(Pulls.Header(Topic, 0, 0, suspendMs: SuspendMs));

        if (forced)
        {
            await gray.State.SetReleaseAsync(Group, release => release with { Forced = 1 });
        }
        else
        {
            await normal.DisposeAsync();
        }

        Assert.Equal(["second"], Pulls.Bodies(await second));
    }

    [Fact]
    public async Task SwitchingOff_APopInOrder_IsGivenTheGrayQueueFirst()
    {
        await using GrayFixture gray = await StartAsync();
        Peer client = gray.Broker.Connect("c1");
        Assert.Equal(0, await gray.SendAsync(Topic, "first", gray: true, 2));
        Popped first = Assert.Single(await client.TakeAsync(Pops.Header(Topic, 0, order: true), 1));
        await gray.State.SetTopicAsync(Topic, 6, GrayTopicState.Off);
        Assert.Equal(2, await gray.SendAsync(Topic, "second", gray: true, 2));

        Task<RemotingCommand> second = client.PopAsync(Pops.Header(Topic, 2, order: true, pollMs: SuspendMs));
        await client.PollingAsync(Topic, 1, queueId: 2);
        Assert.Equal(ResponseCode.Success, (await client.AckAsync(first)).ResponseCode);

        Assert.Equal("second", Assert.Single(Pops.Read(await second, Pops.Header(Topic, 2, order: true))).Body);
    }

    [Fact]
    public async Task SwitchedMoreOftenThanIsRemembered_AKeyThatWaits_WaitsStill()
    {
        await using GrayFixture gray = await StartOffAsync();
        Peer client = await JoinInOrderAsync(gray, 0);
        await gray.SendAsync(Topic, "first", gray: false, 0);
        for (int i = 0; i <= TopicMapping.MaxChanges; i += 2)
        {
            await gray.State.SetTopicAsync(Topic, 6);
            await gray.State.SetTopicAsync(Topic, 6, GrayTopicState.Off);
        }

        await gray.State.SetTopicAsync(Topic, 6);
        Assert.Equal(1, await gray.SendAsync(Topic, "second", gray: false, 0));
        await client.DispatchedAsync(Topic, 1);
        Task<RemotingCommand> second = await client.ParkAsync(Pulls.Header(Topic, 0, 1, suspendMs: SuspendMs));
        await CommitAsync(client, 0, 1);

        Assert.Equal(["second"], Pulls.Bodies(await second));
    }

    // A gray message that is sent to queue 4 goes to queue 0 where two queues are gray, and stays where five are: none of the changes that are
    // remembered tells that it came from there.
    [Fact]
    public async Task SwitchedMoreOftenThanIsRemembered_AKeyThatOnlyTheFirstSwitchMoved_WaitsNoMore()
    {
        await using GrayFixture gray = await StartOffAsync();
        Peer client = await JoinInOrderAsync(gray, 4);
        Assert.Equal(4, await gray.SendAsync(Topic, "first", gray: true, 4));
        await gray.State.SetTopicAsync(Topic, 6);
        Assert.Equal(0, await gray.SendAsync(Topic, "second", gray: true, 4));
        await client.DispatchedAsync(Topic, 1, 4);
        Assert.Equal(ResponseCode.PullNotFound, (await client.PullAsync(Pulls.Header(Topic, 0))).ResponseCode);

        for (int i = 0; i < TopicMapping.MaxChanges; i += 2)
        {
            await gray.State.SetTopicAsync(Topic, 6, GrayTopicState.Off);
            await gray.State.SetTopicAsync(Topic, 6, size: 5);
        }

        Assert.Equal(["second"], await TakeAsync(client, 0));
    }

    // What the old queue ended with is lost, and its end with it: nobody waits for what will never come, and nobody for what comes since.
    [Fact]
    public async Task Restart_OfALogThatLostItsEnd_WaitsForWhatIsThereOnly()
    {
        await using GrayFixture gray = await StartOffAsync();
        Peer client = await JoinInOrderAsync(gray, 0);
        await gray.SendAsync(Topic, "first", gray: false, 0);
        await gray.StopAsync();
        using var before = new KeptMessages(gray.Broker.StorePath);
        await gray.StartAgainAsync();
        await gray.SendAsync(Topic, "lost", gray: false, 0);
        await gray.State.SetTopicAsync(Topic, 6);
        await gray.StopAsync();
        before.PutBack();
        await gray.StartAgainAsync();
        client = await JoinAsync(gray, "c1");
        Assert.Equal(1, await gray.SendAsync(Topic, "second", gray: false, 0));
        await client.DispatchedAsync(Topic, 1);

        Task<RemotingCommand> second = await client.ParkAsync(Pulls.Header(Topic, 0, 1, suspendMs: SuspendMs));
        Assert.Equal(["first"], Pulls.Bodies(await client.PullAsync(Pulls.Header(Topic, 0))));
        await CommitAsync(client, 0, 1);

        Assert.Equal(["second"], Pulls.Bodies(await second));
    }

    [Theory]
    [InlineData(GrayReleaseState.Promoting)]
    [InlineData(GrayReleaseState.Withdrawing)]
    public async Task ReleaseThatEnds_WhileAKeyWaits_GivesItOnceTheOldQueueIsConsumed(GrayReleaseState state)
    {
        await using GrayFixture gray = await StartOffAsync(("grayWithdrawWaitMs", "600000"));
        (Peer normal, Peer canary) = await MoveToTheOtherSideAsync(gray);
        await canary.ParkAsync(Pulls.Header(Topic, 0, 0, suspendMs: SuspendMs));

        bool promoted = state == GrayReleaseState.Promoting;
        await gray.State.SetReleaseAsync(Group, release => release with
        {
            State = state,
            Promotion = promoted ? GrayPromotion.Join : null,
            Leftover = promoted ? null : GrayLeftover.Normal,
        });

        // Promoted, the gray side has it to consume before its queue is everybody's; withdrawn, it was not given it and the normal side gets it.
        Peer takes = promoted ? canary : normal;
        Task<RemotingCommand> second = await takes.ParkAsync(Pulls.Header(Topic, 0, 0, suspendMs: SuspendMs));
        Assert.Equal(["first"], Pulls.Bodies(await normal.PullAsync(Pulls.Header(Topic, 0, 2, suspendMs: SuspendMs))));
        Assert.False(second.IsCompleted);
        await CommitAsync(normal, 2, 1);
        Assert.Equal(["second"], Pulls.Bodies(await second));
        await CommitAsync(takes, 0, 1);

        await gray.State.DoneAsync(Group);
    }

    [Fact]
    public async Task MessagesOfBefore_Gone_AreForgotten()
    {
        using var disk = new ScarceDisk();
        using var told = new ToldLog();
        await using GrayFixture gray = await GrayFixture.StartAsync(
            disk, told, ("mappedFileSizeCommitLog", "65536"), ("cleanResourceInterval", "1000"));
        await gray.CreateAsync(Topic);
        await gray.SendAsync(Topic, "first", gray: false, 0);
        await gray.State.SetTopicAsync(Topic, 6);
        for (int i = 0; i < 20; i++)
        {
            await gray.SendAsync(Topic, new string('x', 10_000), gray: false, 1);
        }

        Assert.Empty(told.Of("KeyOrderForgotten"));
        disk.UsedPercent = 88;

        await Eventually.TrueAsync(() => told.Of("KeyOrderForgotten").Any(), "nobody waits for what is gone");
        Assert.Contains(Topic, told.Of("KeyOrderForgotten").Single(), StringComparison.Ordinal);
    }

    private static async Task<List<string>> TakeOneAsync(Peer client, int queueId) =>
        Pulls.Bodies(await client.PullAsync(Pulls.Header(Topic, 0, queueId, suspendMs: SuspendMs)));

    // A client that consumes in order, and that has the queues to consume from their first message on.
    private static async Task<Peer> JoinInOrderAsync(GrayFixture gray, params int[] queues)
    {
        Peer client = await JoinAsync(gray, "c1");
        Assert.Single(await LockAsync(client));
        foreach (int queueId in queues)
        {
            await CommitAsync(client, queueId, 0);
        }

        return client;
    }

    // One client of each side. The first message of a key lies in queue 2, which is the normal side's; then the topic is switched on, and the
    // second lies in queue 0, which is the gray side's: that consumes in order.
    private static async Task<(Peer Normal, Peer Canary)> MoveToTheOtherSideAsync(GrayFixture gray)
    {
        Peer normal = await JoinAsync(gray, "v1-1");
        await gray.State.OpenAsync(Group);
        Peer canary = await JoinAsync(gray, "v2-1");
        await Eventually.TrueAsync(() => Queue(gray, 2) is { Owner: Side.Normal, IsHandedOver: false }, "queue 2 is normal");
        Assert.Single(await LockAsync(canary));
        Assert.Equal(2, await gray.SendAsync(Topic, "first", gray: true, 2));
        await gray.State.SetTopicAsync(Topic, 6);
        await Eventually.TrueAsync(() => Queue(gray, 0) is { Owner: Side.Gray, IsHandedOver: false }, "queue 0 is gray");
        Assert.Equal(0, await gray.SendAsync(Topic, "second", gray: true, 2));
        return (normal, canary);
    }

    private static async Task<GrayFixture> StartOffAsync(params (string Key, string Value)[] settings)
    {
        GrayFixture gray = await GrayFixture.StartAsync(settings);
        await gray.CreateAsync(Topic);
        return gray;
    }
}
