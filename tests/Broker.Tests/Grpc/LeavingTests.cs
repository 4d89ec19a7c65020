using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc;

/// <summary>What gRPC clients see of a broker that leaves.</summary>
public sealed class LeavingTests : IAsyncLifetime
{
    private const int ReadWrite = 6;
    private const string Topic = "T";
    private const string Group = "GID_leaving";

    private readonly GrpcPeers _clients = new();
    private LeavingBroker _broker = null!;
    private Peer _remoting = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await LeavingBroker.StartAsync(("grpcPort", _clients.Port));
        _remoting = _broker.Broker.Connect("p");
        await _remoting.StoreAsync(Topic, "before");
        _broker.NameServer.Elsewhere[Topic] = ReadWrite;
    }

    public async ValueTask DisposeAsync()
    {
        await _clients.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task NewStream_WhileDraining_IsToldToReconnectAndServed()
    {
        await DrainAsync();
        GrpcPeer producer = _clients.Connect("late");

        await producer.ProduceAsync(Topic);

        Assert.Equal(V2.TelemetryCommand.CommandOneofCase.ReconnectEndpointsCommand, (await producer.NextCommandAsync()).CommandCase);
        await producer.SendAsync(Topic, "all the same");
    }

    [Fact]
    public async Task Report_GrpcClientsCalls_AreCountedUntilTheyHaveEnded()
    {
        GrpcPeer producer = _clients.Connect("counted");
        await producer.ProduceAsync(Topic);

        LifecycleReport report = await _broker.ShowAsync();
        Assert.Equal((1, 1), (report.GrpcConnections, report.GrpcCalls));
        producer.EndStreams();
        await _broker.UntilAsync(now => now.GrpcCalls == 0, "the end of its stream");

        await producer.DisposeAsync();
        await _broker.UntilAsync(now => now.GrpcConnections == 0, "the end of its connection");
    }

    [Fact]
    public async Task StreamAfterReconnect_AtTheSameBroker_IsNotToldAgainAtOnce()
    {
        await DrainAsync();
        GrpcPeer producer = _clients.Connect("stubborn");
        await producer.ProduceAsync(Topic);
        await producer.NextCommandAsync();

        await producer.TellAsync();
        await producer.TellAgainAsync();

        Assert.Equal(V2.TelemetryCommand.CommandOneofCase.Settings, (await producer.NextCommandAsync()).CommandCase);
        _broker.Time.Advance(TimeSpan.FromSeconds(31));
        await producer.TellAsync();
        Assert.Equal(V2.TelemetryCommand.CommandOneofCase.ReconnectEndpointsCommand, (await producer.NextCommandAsync()).CommandCase);
    }

    [Fact]
    public async Task RunningStream_WhileDraining_GoesOnAndEndsInGoodOrderWithTheStop()
    {
        GrpcPeer producer = _clients.Connect("early");
        await producer.ProduceAsync(Topic);
        await DrainAsync();
        await producer.TellAgainAsync();
        Assert.Equal(V2.TelemetryCommand.CommandOneofCase.Settings, (await producer.NextCommandAsync()).CommandCase);

        Task stopping = _broker.Broker.StopServingAsync();

        Assert.Equal(V2.TelemetryCommand.CommandOneofCase.ReconnectEndpointsCommand, (await producer.NextCommandAsync()).CommandCase);
        producer.EndStreams();
        Assert.Equal("0", await producer.EndOfStreamAsync());
        await stopping;
    }

    [Fact]
    public async Task Stream_ThatIsHeardFirstWhileTheBrokerStops_EndsInGoodOrderAllTheSame()
    {
        GrpcPeer producer = _clients.Connect("slow");
        await producer.ProduceAsync(Topic);
        Task silent = producer.KeepSilentAsync();
        await producer.HeartbeatAsync();
        Task stopping = _broker.Broker.StopServingAsync();
        await silent;
        Assert.Equal(V2.TelemetryCommand.CommandOneofCase.ReconnectEndpointsCommand, (await producer.NextCommandAsync()).CommandCase);

        await producer.TellAgainAsync();
        Assert.Equal(V2.TelemetryCommand.CommandOneofCase.Settings, (await producer.NextCommandAsync()).CommandCase);
        Assert.Equal(V2.TelemetryCommand.CommandOneofCase.ReconnectEndpointsCommand, (await producer.NextCommandAsync()).CommandCase);
        _broker.Time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal("0", await producer.EndOfStreamAsync());
        producer.EndStreams();
        await stopping;
    }

    [Fact]
    public async Task WaitingReceive_TheBrokerStops_EndsWithoutAMessageAndWithoutAnError()
    {
        await _remoting.CreateTopicAsync("Idle", 2);
        GrpcPeer consumer = _clients.Connect("consumer");
        await consumer.ConsumeAsync(Group, V2.ClientType.SimpleConsumer, ("Idle", "*"));
        Task<(V2.Code? Status, IReadOnlyList<V2.Message> Messages)> waiting =
            consumer.ReceiveAsync(Group, "Idle", pollSeconds: 20, invisible: TimeSpan.FromMinutes(1));

        // Comes behind the receive on the same connection: that has been taken on when this is answered.
        await consumer.CallAsync("Heartbeat", new V2.HeartbeatRequest { Group = new V2.Resource { Name = Group } }, V2.HeartbeatResponse.Parser);
        await DrainAsync();
        Task stopping = _broker.Broker.StopServingAsync();

        (V2.Code? status, IReadOnlyList<V2.Message> messages) = await waiting;
        Assert.Equal((V2.Code.MessageNotFound, 0), (status, messages.Count));
        consumer.EndStreams();
        await stopping;
    }

    [Fact]
    public async Task MessageInHand_TheBrokerIsRestarted_IsAckedByItsHandleAndNotGivenAgain()
    {
        GrpcPeer consumer = _clients.Connect("consumer");
        var invisible = TimeSpan.FromMinutes(10);
        await consumer.ConsumeAsync(Group, V2.ClientType.SimpleConsumer, (Topic, "*"));
        GrpcPeer producer = _clients.Connect("producer");
        await producer.ProduceAsync(Topic);
        V2.Message message = await ReceiveOneAsync();

        await _broker.DrainAsync();
        consumer.EndStreams();
        producer.EndStreams();
        await _broker.Broker.StopServingAsync();
        await _broker.Broker.StartAgainAsync();

        await using var again = new GrpcPeer(_clients.Port, consumer.Id);
        await again.ConsumeAsync(Group, V2.ClientType.SimpleConsumer, (Topic, "*"));
        V2.AckMessageResponse acked = await again.AckAsync(Group, Topic, message);
        Assert.Equal(V2.Code.Ok, acked.Status.Code);
        Peer asking = _broker.Broker.Connect("asking");
        LifecycleReport report = await asking.AskAsync<NoHeader, LifecycleReport>(RequestCode.ShowLifecycle, default);
        Assert.Equal(0, report.PopsInFlight);

        async Task<V2.Message> ReceiveOneAsync()
        {
            // The first receive settles where the group begins; the clock of the broker stands still, so each waits until it moves.
            while (true)
            {
                Task<(V2.Code? Status, IReadOnlyList<V2.Message> Messages)> receiving =
                    consumer.ReceiveAsync(Group, Topic, max: 1, invisible: invisible);
                while (!receiving.IsCompleted)
                {
                    await producer.SendAsync(Topic, "in hand");
                    _broker.Time.Advance(TimeSpan.FromMilliseconds(100));
                }

                if ((await receiving).Messages is [var message])
                {
                    return message;
                }
            }
        }
    }

    [Fact]
    public async Task Senders_AreCountedUntilTheyEnd_AndStrangersNotAtAll()
    {
        await _remoting.DisposeAsync();
        await _broker.UntilAsync(report => report.Senders == 0, "the end of the connection", TimeSpan.Zero);
        GrpcPeer stranger = _clients.Connect("stranger");
        await stranger.SendAsync(Topic, "without settings");
        Assert.Equal(0, (await _broker.ShowAsync()).Senders);
        GrpcPeer producer = _clients.Connect("producer");
        await producer.ProduceAsync(Topic);
        await producer.SendAsync(Topic, "one");
        await producer.SendAsync(Topic, "two");
        Assert.Equal(1, (await _broker.ShowAsync()).Senders);

        await producer.TerminateAsync();

        Assert.Equal(0, (await _broker.ShowAsync()).Senders);
        await _broker.DrainAsync();
        await _broker.UntilAsync(report => report.State == "drained", "leaving", TimeSpan.Zero);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(null)]
    public async Task Send_ByAProducerThatGoesByAnOldRoute_IsRefusedAtItsFirstTryOnlyAndTheBrokerIsQuiet(int? attempts)
    {
        await _remoting.DisposeAsync();
        GrpcPeer producer = _clients.Connect("old route", attempts: attempts);
        await producer.ProduceAsync(Topic);
        await producer.SendAsync(Topic, "before the drain");
        await DrainAsync();
        await producer.SendAsync(Topic, "as long as others need to look");
        _broker.Time.Advance(TimeSpan.FromMilliseconds(LeavingBroker.QuietMs - 1000));
        await producer.SendAsync(Topic, "just before it ought to know");
        _broker.Time.Advance(TimeSpan.FromMilliseconds(1000));

        V2.Message message = GrpcPeer.MessageOf(Topic, "too late");
        V2.Status first = (await producer.TrySendAsync(message)).Status;
        V2.Status second = (await producer.TrySendAsync(message)).Status;
        Assert.Equal((V2.Code.InternalServerError, V2.Code.Ok), (first.Code, second.Code));
        Assert.Contains("leaving", first.Message, StringComparison.Ordinal);

        // From now on it knows others to try, and the refusals do not keep the broker waiting.
        for (int waitedMs = 0; waitedMs < LeavingBroker.QuietMs; waitedMs += 5000)
        {
            V2.Status refused = (await producer.TrySendAsync(GrpcPeer.MessageOf(Topic, "again"))).Status;
            Assert.Equal(V2.Code.InternalServerError, refused.Code);
            _broker.Time.Advance(TimeSpan.FromMilliseconds(5000));
        }

        await _broker.UntilAsync(report => report.State == "drained", "leaving", TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Send_ThatWouldNotBeTriedElsewhere_IsTakenForAsLongAsTheDrainLasts()
    {
        GrpcPeer once = _clients.Connect("tries once");
        GrpcPeer producer = _clients.Connect("in order", attempts: 3);
        await once.ProduceAsync(Topic);
        await producer.ProduceAsync(Topic);
        await DrainAsync();
        await once.SendAsync(Topic, "one");
        _broker.Time.Advance(TimeSpan.FromMilliseconds(LeavingBroker.QuietMs - 1000));
        await once.SendAsync(Topic, "two");
        _broker.Time.Advance(TimeSpan.FromMilliseconds(2000));

        await once.SendAsync(Topic, "three");
        V2.Message ordered = GrpcPeer.MessageOf(Topic, "in order");
        ordered.SystemProperties.MessageType = V2.MessageType.Fifo;
        ordered.SystemProperties.MessageGroup = "g";
        V2.Message half = GrpcPeer.MessageOf(Topic, "half");
        half.SystemProperties.MessageType = V2.MessageType.Transaction;
        Assert.Equal(V2.Code.Ok, (await producer.TrySendAsync(ordered)).Status.Code);
        Assert.Equal(V2.Code.Ok, (await producer.TrySendAsync(half)).Status.Code);
        Assert.Equal("draining", (await _broker.ShowAsync()).State);
        Assert.Equal(V2.Code.InternalServerError, (await producer.TrySendAsync(GrpcPeer.MessageOf(Topic, "any"))).Status.Code);
    }

    // It waits for the remoting producer to go elsewhere.
    private async Task DrainAsync()
    {
        await _broker.DrainAsync();
        await _broker.UntilAsync(
            report => report.WaitingFor?.Contains("producers", StringComparison.Ordinal) == true, "waiting", TimeSpan.Zero);
    }
}
