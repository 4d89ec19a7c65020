using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Locks;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Pulling;
using GrayMQ.Broker.Serving;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Clients;

/// <summary>The client tables behind a real server, on a clock that the test moves; they can be stopped and started again.</summary>
internal sealed class ClientsFixture : IAsyncDisposable
{
    private readonly BrokerDirectory _directory = new();
    private readonly ClientLimits _limits;
    private readonly List<Peer> _peers = [];
    private TestServer? _server;
    private ClientRegistry? _registry;

    private ClientsFixture(ClientLimits limits, GroupOptions groups)
    {
        _limits = limits;
        _directory.GroupOptions = groups;
    }

    public ManualTime Time => _directory.Time;

    public ConsumerTable Consumers => _registry!.Consumers;

    public ProducerTable Producers => _registry!.Producers;

    public QueueLockTable Locks => _registry!.Locks;

    public TopicTable Topics { get; private set; } = null!;

    public SubscriptionGroupTable Groups { get; private set; } = null!;

    public ConsumerOffsetTable Offsets { get; private set; } = null!;

    public static async Task<ClientsFixture> StartAsync(ClientLimits? limits = null, GroupOptions? groups = null)
    {
        var fixture = new ClientsFixture(limits ?? ClientLimits.Default, groups ?? new GroupOptions());
        await fixture.StartAsync();
        return fixture;
    }

    public static SubscriptionData To(string topic, string expression = "*", long version = 1) =>
        new() { Topic = topic, SubString = expression, SubVersion = version };

    /// <summary>Stops the broker's part and starts it again on the same directory; all connections end.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

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
        await StopAsync();
        _directory.Dispose();
    }

    private async Task StartAsync()
    {
        Topics = _directory.OpenTopics();
        Groups = _directory.OpenGroups();
        Offsets = _directory.OpenOffsets();
        _registry = ClientRegistry.Open(_directory.Store, Groups, _limits, () => true, Time, NullLoggerFactory.Instance);
        _registry.Start();
        var heartbeats = new HeartbeatHandler(Consumers, Producers, Groups, Topics, new BrokerLifecycle(Time, NullLogger<BrokerLifecycle>.Instance), _limits);
        var list = new ConsumerListHandler(Consumers, new GrayTable());
        var queries = new ClientQueryHandler(Consumers, Producers, Offsets, new SubscriptionFilters(filtersByProperties: true, indexes: null));
        var locks = new QueueLockHandler(Locks, Topics, new GrayTable(), _limits);
        RequestTable table = new RequestTable()
            .On<NoHeader>(RequestCode.Heartbeat, heartbeats.HeartbeatAsync)
            .On<UnregisterClientHeader>(RequestCode.UnregisterClient, heartbeats.UnregisterAsync)
            .On<GetConsumerListByGroupHeader>(RequestCode.GetConsumerListByGroup, list.HandleAsync)
            .On<NoHeader>(RequestCode.CheckClientConfig, queries.CheckConfigAsync)
            .OnPool<NoHeader>(RequestCode.LockBatchMQ, locks.LockAsync)
            .OnPool<NoHeader>(RequestCode.UnlockBatchMQ, locks.UnlockAsync)
            .OnPool<GetConsumerConnectionListHeader>(RequestCode.GetConsumerConnectionList, queries.ConsumersAsync)
            .OnPool<GetProducerConnectionListHeader>(RequestCode.GetProducerConnectionList, queries.ProducersAsync)
            .OnPool<NoHeader>(RequestCode.GetAllProducerInfo, queries.AllProducersAsync)
            .OnPool<TopicHeader>(RequestCode.QueryTopicConsumeByWho, queries.GroupsOfTopicAsync)
            .OnPool<GroupTopicHeader>(RequestCode.QuerySubscriptionByConsumer, queries.SubscriptionAsync);
        _server = await TestServer.StartAsync(table, heartbeats.ConnectionClosed);
    }

    private async Task StopAsync()
    {
        // Connections end from the server's side, as they do when a broker is stopped.
        await _server!.DisposeAsync();
        foreach (Peer peer in _peers)
        {
            await peer.DisposeAsync();
        }

        _peers.Clear();
        _registry!.Dispose();
        _directory.Close();
    }
}
