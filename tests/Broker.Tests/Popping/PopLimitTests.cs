using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Popping;

/// <summary>Pops that wait because the group has too much in hand: whatever makes room wakes one of them, long before its time is up.</summary>
public sealed class PopLimitTests
{
    private const string Topic = "Limited";
    private const long LongMs = 60_000;

    [Fact]
    public async Task Ack_OfEachOfTwoLimitedQueues_WakesThoseWhoWaitForIt()
    {
        await using RunningBroker broker = await LimitedAsync();
        (Peer peer, Peer first, Peer second) = (broker.Connect("c1"), broker.Connect("c2"), broker.Connect("c3"));
        var taken = new List<Popped>();
        for (int queueId = 0; queueId < 2; queueId++)
        {
            await RunningBroker.SendAsync(peer, Topic, queueId, $"a{queueId}");
            await RunningBroker.SendAsync(peer, Topic, queueId, $"b{queueId}");
            await peer.DispatchedAsync(Topic, 2, queueId);
            taken.AddRange(await peer.TakeAsync(Pops.Header(Topic, queueId, most: 1), 1));
        }

        Task<RemotingCommand> ofFirst = first.PopAsync(Pops.Header(Topic, 0, pollMs: LongMs));
        Task<RemotingCommand> ofSecond = second.PopAsync(Pops.Header(Topic, 1, pollMs: LongMs));
        await peer.PollingAsync(Topic, 1, queueId: 0);
        await peer.PollingAsync(Topic, 1, queueId: 1);

        await peer.AckAsync(taken[0]);
        Assert.Equal("b0", Assert.Single(Pops.Read(await ofFirst, Pops.Header(Topic))).Body);
        await peer.AckAsync(taken[1]);
        Assert.Equal("b1", Assert.Single(Pops.Read(await ofSecond, Pops.Header(Topic))).Body);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ack_OfARetriedMessage_WakesThoseWhoWaitForMore(bool inABatch)
    {
        await using RunningBroker broker = await LimitedAsync();
        (Peer peer, Peer other) = (broker.Connect("c1"), broker.Connect("c2"));
        string retry = $"%RETRY%{Pops.Group}_{Topic}";
        await RunningBroker.SendAsync(peer, Topic, 0, "m0");
        await RunningBroker.SendAsync(peer, Topic, 0, "m1");
        await peer.DispatchedAsync(Topic, 2);
        await peer.TakeAsync(Pops.Header(Topic, 0, invisibleMs: 1), 2);
        await FoundAsync(peer, retry, 1);
        Popped taken = Assert.Single(await peer.TakeAsync(Pops.Header(Topic, most: 1), 1));
        Assert.Equal(retry, taken.RealTopic);
        Task<RemotingCommand> waiting = other.PopAsync(Pops.Header(Topic, pollMs: LongMs));
        await peer.PollingAsync(Topic, 1);

        RemotingCommand reply = inABatch ? await AckInABatchAsync(peer, taken) : await peer.AckAsync(taken);
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);

        Popped more = Assert.Single(Pops.Read(await waiting, Pops.Header(Topic)));
        Assert.Equal((retry, true), (more.RealTopic, more.Body != taken.Body));
    }

    [Fact]
    public async Task EndOfTheTime_OfWhatIsInHand_MakesRoomForWhatIsBehindIt()
    {
        await using RunningBroker broker = await LimitedAsync();
        (Peer peer, Peer first, Peer second) = (broker.Connect("c1"), broker.Connect("c2"), broker.Connect("c3"));
        await RunningBroker.SendAsync(peer, Topic, 0, "m0");
        await RunningBroker.SendAsync(peer, Topic, 0, "m1");
        await peer.DispatchedAsync(Topic, 2);
        Popped taken = Assert.Single(await peer.TakeAsync(Pops.Header(Topic, 0, most: 1), 1));
        Task<RemotingCommand>[] waiting =
        [
            first.PopAsync(Pops.Header(Topic, most: 1, pollMs: LongMs)), second.PopAsync(Pops.Header(Topic, most: 1, pollMs: LongMs)),
        ];
        await peer.PollingAsync(Topic, 2);

        // It comes again from the retry topic, for the one; what it stood before is for the other.
        await peer.ChangedAsync(taken, 1);

        RemotingCommand[] replies = await Task.WhenAll(waiting);
        Assert.Equal(["m0", "m1"], replies.SelectMany(reply => Pops.Read(reply, Pops.Header(Topic))).Select(m => m.Body).Order(StringComparer.Ordinal));
    }

    private static Task<RunningBroker> LimitedAsync() => RunningBroker.StartAsync(("popInflightMessageThreshold", "1"));

    // The topic itself comes with its first message.
    private static async Task FoundAsync(Peer peer, string topic, long offset)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while ((await RunningBroker.PullAsync(peer, "Watcher", topic, 0, offset)).ResponseCode != ResponseCode.Success)
        {
            deadline.Token.ThrowIfCancellationRequested();
        }
    }

    private static Task<RemotingCommand> AckInABatchAsync(Peer peer, Popped message)
    {
        string[] handle = message.Handle.Split(' ');
        long start = long.Parse(handle[0], System.Globalization.CultureInfo.InvariantCulture);
        var body = new BatchAckMessageRequestBody
        {
            BrokerName = RunningBroker.Name,
            Acks =
            [
                new BatchAck
                {
                    ConsumerGroup = message.Group,
                    Topic = message.Topic,
                    Retry = handle[4],
                    StartOffset = start,
                    QueueId = message.QueueId,
                    ReviveQueueId = 0,
                    PopTimeMs = long.Parse(handle[1], System.Globalization.CultureInfo.InvariantCulture),
                    Bits = [(byte)(1 << (int)(message.Offset - start))],
                },
            ],
        };
        return peer.AskAsync(RequestCode.BatchAckMessage, default(NoHeader), BodyCodec.Encode(body));
    }
}
