using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Clients;

/// <summary>The client tables behind a real server, on a clock that the test moves.</summary>
internal sealed class ClientsFixture : IAsyncDisposable
{
    private readonly List<Peer> _peers = [];
    private TestServer? _server;

    private ClientsFixture(ClientLimits limits)
    {
        Consumers = new ConsumerTable(limits, Time, NullLogger<ConsumerTable>.Instance);
        Producers = new ProducerTable(limits, Time, NullLogger<ProducerTable>.Instance);
        var notifier = new ConsumerNotifier(
            group => !SilentGroups.Contains(group), NullLogger<ConsumerNotifier>.Instance);
        Consumers.GroupChanged += notifier.Changed;
    }

    public ManualTime Time { get; } = new();

    public ConsumerTable Consumers { get; }

    public ProducerTable Producers { get; }

    /// <summary>Groups whose heartbeats are passed over.</summary>
    public HashSet<string> RefusedGroups { get; } = [];

    /// <summary>Groups whose clients are not to be told of changes.</summary>
    public HashSet<string> SilentGroups { get; } = [];

    public static async Task<ClientsFixture> StartAsync(ClientLimits? limits = null)
    {
        limits ??= ClientLimits.Default;
        var fixture = new ClientsFixture(limits);
        var heartbeats = new HeartbeatHandler(
            fixture.Consumers, fixture.Producers, limits, consumer => !fixture.RefusedGroups.Contains(consumer.GroupName));
        var list = new ConsumerListHandler(fixture.Consumers);
        RequestTable table = new RequestTable()
            .On<NoHeader>(RequestCode.Heartbeat, heartbeats.HeartbeatAsync)
            .On<UnregisterClientHeader>(RequestCode.UnregisterClient, heartbeats.UnregisterAsync)
            .On<GetConsumerListByGroupHeader>(RequestCode.GetConsumerListByGroup, list.HandleAsync);
        fixture._server = await TestServer.StartAsync(table, heartbeats.ConnectionClosed);
        return fixture;
    }

    public static SubscriptionData To(string topic, string expression = "*", long version = 1) =>
        new() { Topic = topic, SubString = expression, SubVersion = version };

    public Peer Connect(string id, Action<RequestTable>? answers = null)
    {
        var peer = new Peer(_server!.Address, id, answers);
        _peers.Add(peer);
        return peer;
    }

    public async Task DisconnectAsync(Peer peer)
    {
        await peer.DisposeAsync();
        _peers.Remove(peer);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Peer peer in _peers)
        {
            await peer.DisposeAsync();
        }

        await _server!.DisposeAsync();
    }
}
