using System.Net;
using System.Security.Cryptography.X509Certificates;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Configuration;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Http;
using GrayMQ.Broker.Locks;
using GrayMQ.Broker.Maintenance;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Pulling;
using GrayMQ.Broker.Queries;
using GrayMQ.Broker.Registration;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Statistics;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Servers;
using GrayMQ.Settings;
using GrayMQ.Store;
using GrayMQ.Store.Files;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrayMQ.Broker;

/// <summary>
/// A broker: all of its parts put together, to be started and stopped once. Making one opens and recovers what is stored; nothing
/// is served before <see cref="StartAsync"/>.
/// </summary>
public sealed class BrokerHost : IHostedService, IAsyncDisposable
{
    private readonly EffectiveSettings _settings;
    private readonly MetadataStore _metadata;
    private readonly ConsumerOffsetTable _offsets;
    private readonly RocketMqExport _export;
    private readonly MessageStore _store;
    private readonly ParkedPulls _parked;
    private readonly BrokerStatistics _statistics;
    private readonly ClientRegistry _clients;
    private readonly BrokerPages _pages;
    private readonly HttpEndpoint? _http;
    private readonly RemotingServer _server;
    private readonly RemotingClient _nameServers;
    private readonly NameServerRegistration _registration;
    private readonly X509Certificate2? _certificate;
    private readonly ILogger _logger;

    /// <param name="settings">Loaded by <see cref="BrokerSettings.Catalogue"/>.</param>
    /// <param name="time">The clock, monotonic and of the wall.</param>
    /// <param name="loggers">Where log lines go.</param>
    /// <param name="transport">What connections come from; null means TCP.</param>
    /// <param name="files">Where messages are stored; null means the disk.</param>
    /// <exception cref="IOException">The store is in use, damaged beyond recovery, or not accessible; the message says which.</exception>
    public BrokerHost(
        EffectiveSettings settings,
        TimeProvider time,
        ILoggerFactory loggers,
        IConnectionListenerFactory? transport = null,
        IStoreFileSystem? files = null)
    {
        _settings = settings;
        _logger = loggers.CreateLogger<BrokerHost>();
        IPEndPoint address = BrokerSettings.Address(settings);
        StoreOptions storeOptions = StoreSettings.ToOptions(settings);

        _metadata = MetadataStore.Open(Path.Combine(storeOptions.RootDirectory, "config"), loggers);
        TopicOptions topicOptions = MetadataSettings.TopicOptions(settings);
        TopicTable topics = TopicTable.Open(_metadata, topicOptions, time, loggers);
        SubscriptionGroupTable groups = SubscriptionGroupTable.Open(_metadata, MetadataSettings.GroupOptions(settings), time, loggers);
        OffsetOptions offsetOptions = MetadataSettings.OffsetOptions(settings);
        _offsets = ConsumerOffsetTable.Open(_metadata, offsetOptions, time, loggers);
        _export = new RocketMqExport(_metadata, topics, groups, _offsets, loggers);

        _parked = new ParkedPulls(settings.Get(BrokerSettings.MaxParkedPulls), time);
        _store = MessageStore.Open(storeOptions, files ?? new LinuxFileSystem(), time, loggers, _parked);

        _statistics = new BrokerStatistics(settings.Get(BrokerSettings.BrokerClusterName), time);

        var running = new RunningSettings(settings, time, loggers.CreateLogger<RunningSettings>());
        LiveSetting<bool> notify = running.Follow(ClientSettings.NotifyConsumerIdsChangedEnable);
        LiveSetting<int> permission = running.Follow(BrokerSettings.BrokerPermission);
        int registeredPermission = permission.Value;
        running.Changed += _ =>
        {
            if (Interlocked.Exchange(ref registeredPermission, permission.Value) != permission.Value)
            {
                // What the routes hold of each topic changes with it.
                topics.RaiseVersion();
            }
        };
        ClientLimits limits = ClientSettings.ToLimits(settings);
        _clients = ClientRegistry.Open(
            _metadata, groups, limits, () => notify.Value, time, loggers);
        ConsumerTable consumers = _clients.Consumers;
        var heartbeats = new HeartbeatHandler(consumers, _clients.Producers, groups, topics, limits);
        topics.Changed += change =>
        {
            foreach (string deleted in change.Deleted)
            {
                _statistics.RemoveTopic(deleted);
            }
        };
        groups.Changed += change =>
        {
            foreach (string deleted in change.Deleted)
            {
                _statistics.RemoveGroup(deleted);
            }
        };

        string brokerName = settings.Get(BrokerSettings.BrokerName);
        var progress = new ConsumeProgress(brokerName, topics, consumers, _offsets, _store, _statistics);
        _certificate = ServerCertificate.Load(
            settings.Get(BrokerSettings.TlsServerCertPath), settings.Get(BrokerSettings.TlsServerKeyPath));
        _server = new RemotingServer(
            BrokerSettings.ServerOptions(settings, _certificate),
            BrokerRequests.Table(
                new SendMessageHandler(
                    BrokerSettings.SendOptions(settings, running),
                    topics,
                    _store,
                    _statistics,
                    new UniqueKeyGenerator(address.Address, Environment.ProcessId),
                    time),
                new PullMessageHandler(
                    BrokerSettings.PullOptions(settings, running), topics, groups, consumers, _offsets, _store, _parked, _statistics),
                new QueueOffsetHandler(topics, _store),
                new MessageQueryHandler(_store, settings.Get(BrokerSettings.DefaultQueryMaxNum)),
                heartbeats,
                new ConsumerListHandler(consumers),
                new TopicHandler(topicOptions, topics, _offsets, _store),
                new SubscriptionGroupHandler(groups, _offsets),
                new ConsumerOffsetHandler(topics, groups, _offsets, _store, loggers.CreateLogger<ConsumerOffsetHandler>()),
                new OffsetAdminHandler(address.ToString(), topics, consumers, _offsets, _store),
                new ResetOffsetHandler(
                    settings.Get(BrokerSettings.BrokerName),
                    offsetOptions,
                    topics,
                    groups,
                    consumers,
                    _offsets,
                    _store,
                    loggers.CreateLogger<ResetOffsetHandler>()),
                new ExportHandler(_export),
                new ClientQueryHandler(consumers, _clients.Producers, _offsets),
                new ConsumerCallHandler(settings.Get(BrokerSettings.BrokerName), consumers, topics, groups, _store),
                new QueueLockHandler(_clients.Locks, limits),
                new ConsumeStatsHandler(brokerName, address.ToString(), progress, topics, groups, _offsets, _store, time),
                new TopicStatsHandler(brokerName, topics, _store, _statistics),
                new RuntimeInfoHandler(storeOptions.RootDirectory, _store, _statistics, time),
                new BrokerConfigHandler(running),
                new CleanupHandler(topics, _store, loggers.CreateLogger<CleanupHandler>())),
            transport ?? new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers),
            time,
            loggers);
        _server.ConnectionClosed += heartbeats.ConnectionClosed;

        var metrics = new MetricsPage(
            settings.Get(BrokerSettings.BrokerClusterName),
            brokerName,
            storeOptions.RootDirectory,
            _statistics,
            progress,
            topics,
            groups,
            consumers,
            _clients.Producers,
            _parked,
            _store,
            time);
        _pages = new BrokerPages(metrics, _store);
        _http = BrokerSettings.HttpEndPoint(settings) is { } httpEndPoint
            ? new HttpEndpoint(httpEndPoint, _pages.ByPath, loggers)
            : null;

        _nameServers = new RemotingClient(RemotingClientOptions.Default, new RequestTable(), time, loggers);
        _registration = new NameServerRegistration(
            BrokerSettings.RegistrationOptions(settings, running), topics, _nameServers, time, loggers.CreateLogger<NameServerRegistration>());
    }

    /// <summary>The addresses that are bound, once started: the main one first.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => _server.EndPoints;

    /// <summary>Where health checks and metrics are, once started; null when they are switched off.</summary>
    public IPEndPoint? HttpEndPoint => _http?.EndPoint;

    /// <summary>Serves, then registers with the name servers; one that is away does not fail this.</summary>
    /// <exception cref="IOException">An address cannot be bound; the message names it.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_http is not null)
        {
            await _http.StartAsync(cancellationToken).ConfigureAwait(false);
        }

        _store.Start();
        _statistics.Start();
        _clients.Start();
        await _server.StartAsync(cancellationToken).ConfigureAwait(false);
        await _registration.StartAsync(cancellationToken).ConfigureAwait(false);
        _pages.IsServing = true;
        Log.Started(
            _logger,
            _settings.Get(BrokerSettings.BrokerName),
            BrokerSettings.Address(_settings),
            _settings.Get(BrokerSettings.StorePathRootDir));
    }

    /// <summary>Leaves the routes, answers what was asked, and writes down what RocketMQ would read.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _pages.IsServing = false;
        await _registration.StopAsync(cancellationToken).ConfigureAwait(false);
        _parked.Close();
        await _server.StopAsync(cancellationToken).ConfigureAwait(false);
        _offsets.Write();
        _export.Write();
        if (_http is not null)
        {
            await _http.StopAsync(cancellationToken).ConfigureAwait(false);
        }

        Log.Stopped(_logger, _settings.Get(BrokerSettings.BrokerName));
    }

    public async ValueTask DisposeAsync()
    {
        await _registration.DisposeAsync().ConfigureAwait(false);
        await _nameServers.DisposeAsync().ConfigureAwait(false);
        await _server.DisposeAsync().ConfigureAwait(false);
        if (_http is not null)
        {
            await _http.DisposeAsync().ConfigureAwait(false);
        }

        _parked.Dispose();
        _statistics.Dispose();
        await _store.DisposeAsync().ConfigureAwait(false);
        _offsets.Dispose();
        _clients.Dispose();
        _metadata.Dispose();
        _certificate?.Dispose();
    }
}
