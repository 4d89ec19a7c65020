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

    private readonly string _port = RunningBroker.FreePort();
    private readonly List<GrpcPeer> _clients = [];
    private LeavingBroker _broker = null!;
    private Peer _remoting = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await LeavingBroker.StartAsync(("grpcPort", _port));
        _remoting = _broker.Broker.Connect("p");
        await _remoting.StoreAsync(Topic, "before");
        _broker.NameServer.Elsewhere[Topic] = ReadWrite;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (GrpcPeer client in _clients)
        {
            await client.DisposeAsync();
        }

        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task NewStream_WhileDraining_IsToldToReconnectAndServed()
    {
        await DrainAsync();
        GrpcPeer producer = Connect("late");

        await producer.ProduceAsync(Topic);

        Assert.Equal(V2.TelemetryCommand.CommandOneofCase.ReconnectEndpointsCommand, (await producer.NextCommandAsync()).CommandCase);
        await producer.SendAsync(Topic, "all the same");
    }

    [Fact]
    public async Task StreamAfterReconnect_AtTheSameBroker_IsNotToldAgainAtOnce()
    {
        await DrainAsync();
        GrpcPeer producer = Connect("stubborn");
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
        GrpcPeer producer = Connect("early");
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
    public async Task WaitingReceive_TheBrokerStops_EndsWithoutAMessageAndWithoutAnError()
    {
        await _remoting.CreateTopicAsync("Idle", 2);
        GrpcPeer consumer = Connect("consumer");
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
        GrpcPeer consumer = Connect("consumer");
        var invisible = TimeSpan.FromMinutes(10);
        await consumer.ConsumeAsync(Group, V2.ClientType.SimpleConsumer, (Topic, "*"));
        GrpcPeer producer = Connect("producer");
        await producer.ProduceAsync(Topic);
        V2.Message message = await ReceiveOneAsync();

        await _broker.DrainAsync();
        consumer.EndStreams();
        producer.EndStreams();
        await _broker.Broker.StopServingAsync();
        await _broker.Broker.StartAgainAsync();

        await using var again = new GrpcPeer(_port, consumer.Id);
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
        GrpcPeer stranger = Connect("stranger");
        await stranger.SendAsync(Topic, "without settings");
        Assert.Equal(0, (await _broker.ShowAsync()).Senders);
        GrpcPeer producer = Connect("producer");
        await producer.ProduceAsync(Topic);
        await producer.SendAsync(Topic, "one");
        await producer.SendAsync(Topic, "two");
        Assert.Equal(1, (await _broker.ShowAsync()).Senders);

        await producer.TerminateAsync();

        Assert.Equal(0, (await _broker.ShowAsync()).Senders);
        await _broker.DrainAsync();
        await _broker.UntilAsync(report => report.State == "drained", "leaving", TimeSpan.Zero);
    }

    private GrpcPeer Connect(string id)
    {
        var client = new GrpcPeer(_port, id);
        _clients.Add(client);
        return client;
    }

    // It waits for the remoting producer to go elsewhere.
    private async Task DrainAsync()
    {
        await _broker.DrainAsync();
        await _broker.UntilAsync(
            report => report.WaitingFor?.Contains("producers", StringComparison.Ordinal) == true, "waiting", TimeSpan.Zero);
    }
}
