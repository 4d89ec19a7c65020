using System.Net;
using System.Security.Cryptography.X509Certificates;
using GrayMQ.Broker.Assignments;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Configuration;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Grpc;
using GrayMQ.Broker.Http;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Registration;
using GrayMQ.Broker.Rehearsals;
using GrayMQ.Broker.Statistics;
using GrayMQ.Broker.Transactions;
using GrayMQ.Hosting;
using GrayMQ.Hosting.Http;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Transports;
using GrayMQ.Settings;
using GrayMQ.Store;
using GrayMQ.Store.Files;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker;

/// <summary>
/// A broker: all of its parts put together, to be started and stopped once. Making one opens and recovers what is stored; but for health
/// checks, nothing is answered before <see cref="StartAsync"/>.
/// </summary>
public sealed class BrokerHost : IHostedService, IDrainable, IAsyncDisposable
{
    private readonly EffectiveSettings _settings;
    private readonly IPEndPoint _address;
    private readonly BrokerLifecycle _lifecycle;
    private readonly BrokerState _state;
    private readonly TransactionParts _transactions;
    private readonly LifecycleParts _lifecycleParts;
    private readonly WarmupOptions _warmup;
    private readonly CancellationTokenSource _rehearsed = new();
    private readonly Task _rehearsal;

    // Who connects to a socket that was given waits already: nothing is done before the port opens that can be done later.
    private readonly bool _isAwaited;
    private Task _pagingIn = Task.CompletedTask;
    private readonly HttpEndpoint? _http;
    private readonly RemotingServer _server;
    private readonly GrpcDoor? _grpc;
    private readonly RemotingClient _nameServers;
    private readonly TopicRouteTable _routes;
    private readonly NameServerRegistration _registration;
    private readonly GrayFollower _gray;
    private readonly X509Certificate2? _certificate;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <param name="settings">Loaded by <see cref="BrokerSettings.Catalogue"/>.</param>
    /// <param name="time">The clock, monotonic and of the wall.</param>
    /// <param name="loggers">Where log lines go.</param>
    /// <param name="transport">What connections come from; null means TCP.</param>
    /// <param name="files">Where messages are stored; null means the disk.</param>
    /// <param name="storeLock">The store's lock, if the caller holds it already; it stays the caller's.</param>
    /// <param name="sockets">Where listening sockets come from; null binds new ones.</param>
    /// <param name="succeeds">Whether it takes the place of a broker that went on to the last moment: clients have all of its queues.</param>
    /// <exception cref="SettingsException">brokerIP1 does not resolve.</exception>
    /// <exception cref="IOException">HTTP's address cannot be bound; or the store is in use, damaged beyond recovery, or not accessible; the message says which.</exception>
    public BrokerHost(
        EffectiveSettings settings,
        TimeProvider time,
        ILoggerFactory loggers,
        IConnectionListenerFactory? transport = null,
        IStoreFileSystem? files = null,
        StoreLock? storeLock = null,
        ListeningSockets? sockets = null,
        bool succeeds = false)
    {
        _settings = settings;
        _time = time;
        _logger = loggers.CreateLogger<BrokerHost>();
        _lifecycle = new BrokerLifecycle(time, loggers.CreateLogger<BrokerLifecycle>());
        _address = BrokerSettings.Address(settings);
        _certificate = ServerCertificate.Load(
            settings.Get(BrokerSettings.TlsServerCertPath), settings.Get(BrokerSettings.TlsServerKeyPath));
        var running = new RunningSettings(settings, time, loggers.CreateLogger<RunningSettings>());
        LiveSetting<bool> notify = running.Follow(ClientSettings.NotifyConsumerIdsChangedEnable);
        TransactionOptions transactions = TransactionSettings.ToOptions(settings, running, _address);
        _warmup = LifecycleSettings.WarmupOptions(settings);
        _isAwaited = sockets is { AnyGiven: true };
        var pages = new BrokerPages(_lifecycle, settings.Get(BrokerSettings.BrokerClusterName), settings.Get(BrokerSettings.BrokerName), _address);
        _http = OpenHttp(pages, loggers, sockets);
        _lifecycle.Enter(LifecycleState.Recovering);

        _rehearsal = _isAwaited ? Task.CompletedTask : RehearseAsync(settings, time, loggers, _rehearsed.Token);
        try
        {
            _state = new BrokerState(
                settings, _address, () => notify.Value, transactions, time, loggers, files ?? new LinuxFileSystem(), storeLock);
        }
        catch
        {
            _rehearsed.Cancel();
            _rehearsal.GetAwaiter().GetResult();
            _http?.DisposeAsync().AsTask().GetAwaiter().GetResult();
            throw;
        }

        _lifecycle.Enter(LifecycleState.Standby);
        _transactions = new TransactionParts(_state, _state.Intake, transactions, time, loggers);
        RegisterAgainOnPermissionChange(running);
        var pushes = new RequestTable();
        _nameServers = new RemotingClient(RemotingClientOptions.Default, pushes, time, loggers);
        _gray = new GrayFollower(
            GraySettings.Options(settings, _address), _state.GrayWork, _nameServers, time, loggers.CreateLogger<GrayFollower>());
        pushes.On<GrayVersionHeader>(RequestCode.GrayStateChanged, _gray.ChangedAsync);
        _routes = new TopicRouteTable(
            AssignmentSettings.RouteOptions(settings), _state.Topics, _nameServers, time, loggers.CreateLogger<TopicRouteTable>());

        var rules = new NarrowRules(_state.Topics, _state.Gray);
        var view = new RouteView(rules, time);
        _registration = new NameServerRegistration(
            BrokerSettings.RegistrationOptions(settings, running, _address),
            _state.Topics,
            view,
            _nameServers,
            time,
            loggers.CreateLogger<NameServerRegistration>());

        var progress = new ConsumeProgress(
            settings.Get(BrokerSettings.BrokerName),
            _state.Topics,
            _state.Clients.Consumers,
            _state.Offsets,
            _state.Messages,
            _state.Statistics);
        _lifecycleParts = new LifecycleParts(
            succeeds ? LifecycleSettings.Options(settings, _address).WithWholeShare() : LifecycleSettings.Options(settings, _address),
            _lifecycle,
            _state,
            progress,
            rules,
            view,
            _registration,
            _nameServers,
            () => new OpenConnections(_server!.ConnectionCount, _grpc?.ConnectionCount ?? 0, _grpc?.CallCount ?? 0),
            time,
            loggers);
        var heartbeats = new HeartbeatHandler(
            _state.Clients.Consumers,
            _state.Clients.Producers,
            _state.Groups,
            _state.Topics,
            _lifecycle,
            ClientSettings.ToLimits(settings));
        RequestTable requests = BrokerHandlers.Table(
            settings,
            running,
            _address,
            _state,
            _state.Intake,
            _transactions,
            progress,
            heartbeats,
            _routes,
            _registration,
            _lifecycleParts,
            time,
            loggers);
        _server = new RemotingServer(
            BrokerSettings.ServerOptions(settings, _certificate),
            requests,
            transport ?? SocketTransport.Create(time, loggers, sockets),
            time,
            loggers);
        _server.ConnectionClosed += heartbeats.ConnectionClosed;
        _server.ConnectionClosed += _lifecycleParts.Sends.ConnectionClosed;
        _grpc = GrpcSettings.IsOn(settings)
            ? new GrpcDoor(
                GrpcSettings.Options(settings, _address, _state.Pending.Options),
                GrpcSettings.ServerOptions(settings, _certificate),
                ClientSettings.ToLimits(settings),
                requests,
                heartbeats,
                _state,
                _lifecycleParts,
                _routes,
                time,
                loggers,
                sockets)
            : null;
        pages.Complete(
            new MetricsPage(
                settings.Get(BrokerSettings.BrokerClusterName),
                settings.Get(BrokerSettings.BrokerName),
                settings.Get(BrokerSettings.StorePathRootDir),
                _state.Statistics,
                progress,
                _state.Topics,
                _state.Groups,
                _state.Clients.Consumers,
                _state.Clients.Producers,
                _state.Parked,
                _state.Messages,
                _transactions.Metrics,
                _lifecycle,
                _lifecycleParts.Warmup,
                time),
            _lifecycleParts);
    }

    /// <summary>The addresses that are bound, once started: the main one first.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => _server.EndPoints;

    /// <summary>Where gRPC is answered, once started; null when it is switched off.</summary>
    public IPEndPoint? GrpcEndPoint => _grpc?.EndPoint;

    /// <summary>Where health checks and metrics are; null when they are switched off.</summary>
    public IPEndPoint? HttpEndPoint => _http?.EndPoint;

    /// <summary>Serves, then registers with the name servers; one that is away does not fail this.</summary>
    /// <exception cref="IOException">An address cannot be bound; the message names it.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _rehearsal.ConfigureAwait(false);
        _pagingIn = Task.Run(PageIn, CancellationToken.None);
        if (!_isAwaited)
        {
            await _pagingIn.ConfigureAwait(false);
        }

        _transactions.Coordinator.Start();
        _state.Start();
        _routes.Start();
        await _gray.StartAsync().ConfigureAwait(false);
        await _server.StartAsync(cancellationToken).ConfigureAwait(false);
        if (_grpc is not null)
        {
            await _grpc.StartAsync(cancellationToken).ConfigureAwait(false);
        }

        _lifecycle.OpenPorts();
        await _lifecycleParts.Arrival.ComeAsync(cancellationToken).ConfigureAwait(false);
        Log.Started(
            _logger,
            _settings.Get(BrokerSettings.BrokerName),
            _address,
            _settings.Get(BrokerSettings.StorePathRootDir));
    }

    /// <summary>
    /// Rehearses what the broker of these settings will do, as it would by itself at its start; in a process that has, nothing more is done.
    /// For who must not wait later.
    /// </summary>
    public static Task RehearseAsync(
        EffectiveSettings settings, TimeProvider time, ILoggerFactory loggers, CancellationToken enough) => Rehearsal.HoldAsync(
            LifecycleSettings.WarmupOptions(settings).Rehearsal,
            settings.Get(BrokerSettings.StorePathRootDir),
            time,
            loggers.CreateLogger<BrokerHost>(),
            enough);

    /// <inheritdoc/>
    public async Task DrainAsync(CancellationToken hurry)
    {
        // Who is in a hurry from the beginning wants no drain: the broker leaves the routes as it stops.
        bool isPlainStop = hurry.IsCancellationRequested && _lifecycleParts.Departure.Request is null;
        if (!isPlainStop && _lifecycle.State is >= LifecycleState.Serving and < LifecycleState.Stopped)
        {
            await _lifecycleParts.Departure.AskAsync(new DrainRequest("a signal", IsFinal: true)).ConfigureAwait(false);
            await _lifecycleParts.Departure.WaitAsync(hurry).ConfigureAwait(false);
        }
    }

    /// <summary>Leaves the routes, unless it will be back soon, answers what was asked, and writes down what RocketMQ would read.</summary>
    public Task StopAsync(CancellationToken cancellationToken) =>
        StopAsync(_lifecycleParts.Departure.KeepsRoute, cancellationToken);

    /// <summary>Stops for a successor that has the listening sockets, and registers anew.</summary>
    public async Task HandOverAsync(CancellationToken cancellationToken)
    {
        await _lifecycleParts.HandOverAsync(cancellationToken).ConfigureAwait(false);
        await StopAsync(keepRoute: true, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _rehearsed.CancelAsync().ConfigureAwait(false);
        await _rehearsal.ConfigureAwait(false);
        await _pagingIn.ConfigureAwait(false);
        _rehearsed.Dispose();
        _lifecycleParts.Dispose();
        await _registration.DisposeAsync().ConfigureAwait(false);
        _routes.Dispose();
        await _gray.DisposeAsync().ConfigureAwait(false);
        await _nameServers.DisposeAsync().ConfigureAwait(false);
        await _server.DisposeAsync().ConfigureAwait(false);
        if (_grpc is not null)
        {
            await _grpc.DisposeAsync().ConfigureAwait(false);
        }

        if (_http is not null)
        {
            await _http.DisposeAsync().ConfigureAwait(false);
        }

        _transactions.Coordinator.Dispose();
        await _state.DisposeAsync().ConfigureAwait(false);
        _certificate?.Dispose();
    }

    // Live, and not ready: whoever probes is answered while the store is recovered.
    private HttpEndpoint? OpenHttp(BrokerPages pages, ILoggerFactory loggers, ListeningSockets? sockets)
    {
        if (BrokerSettings.HttpEndPoint(_settings) is not { } endPoint)
        {
            return null;
        }

        var http = new HttpEndpoint(
            endPoint,
            pages.ByPath,
            new PostGuard(_settings.Get(BrokerSettings.HttpToken), endPoint.Address),
            () => _lifecycle.IsLeaving,
            loggers,
            sockets is null ? null : sockets.Bind);
        http.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        return http;
    }

    private void PageIn()
    {
        long begun = _time.GetTimestamp();
        long bytes = _state.Messages.PageInTail(_warmup.TailBytes);
        Log.TailPagedIn(_logger, bytes, (long)_time.GetElapsedTime(begun).TotalMilliseconds);
    }

    // What the routes hold of each topic is narrowed by the broker's permission.
    private void RegisterAgainOnPermissionChange(RunningSettings running)
    {
        LiveSetting<int> permission = running.Follow(BrokerSettings.BrokerPermission);
        int registered = permission.Value;
        running.Changed += _ =>
        {
            if (Interlocked.Exchange(ref registered, permission.Value) != permission.Value)
            {
                _state.Topics.RaiseVersion();
            }
        };
    }

    private async Task StopAsync(bool keepRoute, CancellationToken cancellationToken)
    {
        await _lifecycleParts.Departure.BreakOffAsync().ConfigureAwait(false);
        _lifecycle.Enter(LifecycleState.Stopped);
        await _gray.StopAsync().ConfigureAwait(false);
        await _registration.StopAsync(keepRoute, cancellationToken).ConfigureAwait(false);
        _state.Parked.Close();
        _state.Pops.Parked.Close();
        if (_grpc is not null)
        {
            await _grpc.StopAsync(cancellationToken).ConfigureAwait(false);
        }

        await _server.StopAsync(cancellationToken).ConfigureAwait(false);
        _transactions.Coordinator.Stop();
        _state.Stop();
        _state.Save();
        if (_http is not null)
        {
            await _http.StopAsync(cancellationToken).ConfigureAwait(false);
        }

        Log.Stopped(_logger, _settings.Get(BrokerSettings.BrokerName));
    }
}
