using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Pulling;

/// <summary>Pulls that wait for a message.</summary>
public sealed class LongPollingTests
{
    private const string Topic = "Orders";

    // Longer than any test, so that an answer that came is not the time-out's.
    private const long LongMs = 60_000;
    private const long ShortMs = 300;

    [Fact]
    public async Task Parked_MessageArrives_GetsIt()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);

        Task<RemotingCommand> atZero = await peer.ParkAsync(Pulls.Header(Topic, 0, suspendMs: LongMs));
        await peer.StoreAsync(Topic, "a");
        RemotingCommand first = await atZero;
        Pulls.Answered(first, ResponseCode.Success, next: 1, min: 0, max: 1);
        Assert.Equal(["a"], Pulls.Bodies(first));

        Task<RemotingCommand> atOne = await peer.ParkAsync(Pulls.Header(Topic, 1, suspendMs: LongMs));
        Task<RemotingCommand> otherQueue = await peer.ParkAsync(Pulls.Header(Topic, 0, queueId: 1, suspendMs: LongMs));
        await peer.StoreAsync(Topic, "b");
        Assert.Equal(["b"], Pulls.Bodies(await atOne));
        Assert.False(otherQueue.IsCompleted);
        await peer.StoreAsync(Topic, "c", queueId: 1);
        Assert.Equal(["c"], Pulls.Bodies(await otherQueue));
    }

    [Fact]
    public async Task Parked_MessageOfAnotherTag_GoesOnWaiting()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);

        Task<RemotingCommand> parked = await peer.ParkAsync(Pulls.Header(Topic, 0, expression: "A", suspendMs: LongMs));
        await peer.StoreAsync(Topic, "b", "B");
        await peer.DispatchedAsync(Topic, 1);
        await peer.StoreAsync(Topic, "a", "A");

        // Had the first message woken it, it would have been told to go on behind that one.
        RemotingCommand reply = await parked;
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Equal(["a"], Pulls.Bodies(reply));
        Assert.Equal(2, PullMessageResponseHeader.Read(reply.Fields).NextBeginOffset);
    }

    [Fact]
    public async Task Parked_TimeIsUp_SaysWhereToGoOn()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);

        Pulls.Answered(
            await (await peer.ParkAsync(Pulls.Header(Topic, 0, suspendMs: ShortMs))), ResponseCode.PullNotFound, next: 0, min: 0, max: 0);
        await peer.StoreAsync(Topic, "a", "A");
        await peer.DispatchedAsync(Topic, 1);
        Pulls.Answered(
            await (await peer.ParkAsync(Pulls.Header(Topic, 1, suspendMs: ShortMs))), ResponseCode.PullNotFound, next: 1, min: 0, max: 1);
        Task<RemotingCommand> filtered = await peer.ParkAsync(Pulls.Header(Topic, 1, expression: "B", suspendMs: 2 * ShortMs));
        await peer.StoreAsync(Topic, "a", "A");
        Pulls.Answered(await filtered, ResponseCode.PullRetryImmediately, next: 2, min: 0, max: 2);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-1)]
    public async Task Pull_ThatIsNotAtTheEnd_IsNotKept(long offset)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.StoreAsync(Topic, "a");
        await peer.DispatchedAsync(Topic, 1);

        Assert.Equal(ResponseCode.PullOffsetMoved, (await peer.PullAsync(Pulls.Header(Topic, offset, suspendMs: LongMs))).ResponseCode);
    }

    [Fact]
    public async Task Pull_ShortPolling_IsKeptForThatTimeAtMost()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("longPollingEnable", "false"), ("shortPollingTimeMills", "50"));
        Peer peer = await StartAsync(broker);

        Assert.Equal(ResponseCode.PullNotFound, (await peer.PullAsync(Pulls.Header(Topic, 0, suspendMs: LongMs))).ResponseCode);
    }

    [Fact]
    public async Task Parked_AsManyAsMay_TheNextIsAnsweredAtOnce()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("maxParkedPulls", "2"));
        Peer peer = await StartAsync(broker);

        Task<RemotingCommand> first = await peer.ParkAsync(Pulls.Header(Topic, 0, suspendMs: LongMs));
        Task<RemotingCommand> second = await peer.ParkAsync(Pulls.Header(Topic, 0, queueId: 1, suspendMs: LongMs));
        Assert.Equal(ResponseCode.PullNotFound, (await peer.PullAsync(Pulls.Header(Topic, 0, suspendMs: LongMs))).ResponseCode);
        await peer.StoreAsync(Topic, "a");
        await first;

        // Its place is free again.
        Task<RemotingCommand> third = await peer.ParkAsync(Pulls.Header(Topic, 1, suspendMs: LongMs));
        await peer.StoreAsync(Topic, "b");
        await peer.StoreAsync(Topic, "c", queueId: 1);
        Assert.Equal(["b"], Pulls.Bodies(await third));
        Assert.Equal(["c"], Pulls.Bodies(await second));
    }

    [Fact]
    public async Task Parked_BrokerStops_IsAnswered()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        Task<RemotingCommand> parked = await peer.ParkAsync(Pulls.Header(Topic, 0, suspendMs: LongMs));

        await broker.StopServingAsync();

        Assert.Equal(ResponseCode.PullNotFound, (await parked).ResponseCode);
    }

    [Fact]
    public async Task Parked_TopicIsDeleted_IsAnswered()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = await StartAsync(broker);
        await peer.StoreAsync(Topic, "a");
        await peer.DispatchedAsync(Topic, 1);
        Task<RemotingCommand> parked = await peer.ParkAsync(Pulls.Header(Topic, 1, suspendMs: LongMs));

        await peer.AskAsync(RequestCode.DeleteTopicInBroker, new TopicHeader(Topic));

        Assert.NotEqual(ResponseCode.Success, (await parked).ResponseCode);
        Assert.Equal(ResponseCode.TopicNotExist, (await peer.PullAsync(Pulls.Header(Topic, 0))).ResponseCode);
    }

    [Fact]
    public async Task Parked_WhileManySend_NoneIsForgotten()
    {
        const int Queues = 4;
        const int Consumers = 16;
        const int Messages = 300;
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer admin = broker.Connect("admin");
        await admin.CreateTopicAsync(Topic, Queues);

        // Each consumer follows its queue one message at a time, so that it mostly parks just as the next one arrives. A wake-up that
        // is lost shows as a pull that is not answered in the peer's time, or with nothing.
        Task[] consumers =
        [
            .. Enumerable.Range(0, Consumers).Select(async number =>
            {
                Peer peer = broker.Connect($"c{number}");
                for (long offset = 0; offset < Messages;)
                {
                    RemotingCommand reply = await peer.PullAsync(Pulls.Header(Topic, offset, number % Queues, suspendMs: LongMs));
                    Assert.True(reply.ResponseCode == ResponseCode.Success, $"at {offset}: {reply.ResponseCode} {reply.Remark}");
                    long next = PullMessageResponseHeader.Read(reply.Fields).NextBeginOffset;
                    Assert.Equal(next - offset, Pulls.Bodies(reply).Count);
                    offset = next;
                }
            }),
        ];
        Task[] producers =
        [
            .. Enumerable.Range(0, Queues).Select(async queueId =>
            {
                Peer peer = broker.Connect($"p{queueId}");
                for (int i = 0; i < Messages; i++)
                {
                    await peer.StoreAsync(Topic, $"{queueId}/{i}", queueId: queueId);
                }
            }),
        ];

        await Task.WhenAll([.. producers, .. consumers]);
    }

    private static async Task<Peer> StartAsync(RunningBroker broker)
    {
        Peer peer = broker.Connect("c");
        Assert.Equal(ResponseCode.Success, (await peer.CreateTopicAsync(Topic, 2)).ResponseCode);
        return peer;
    }
}
