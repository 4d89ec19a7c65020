using System.Net;
using System.Security.Cryptography.X509Certificates;
using GrayMQ.Hosting;
using GrayMQ.Hosting.Http;
using GrayMQ.NameServer.Brokers;
using GrayMQ.NameServer.Configurations;
using GrayMQ.NameServer.Drains;
using GrayMQ.NameServer.Gray;
using GrayMQ.NameServer.Gray.Commands;
using GrayMQ.NameServer.Gray.Progress;
using GrayMQ.NameServer.Gray.States;
using GrayMQ.NameServer.Http;
using GrayMQ.NameServer.KVConfigs;
using GrayMQ.NameServer.Lifecycle;
using GrayMQ.NameServer.Returns;
using GrayMQ.NameServer.Routes;
using GrayMQ.NameServer.Topics;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Transports;
using GrayMQ.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer;

/// <summary>A name server: all of its parts put together, to be started and stopped once.</summary>
public sealed class NameServerHost : IHostedService, IDrainable, IAsyncDisposable
{
    private readonly LiveOptions _options;
    private readonly KnownBrokers _known;
    private readonly NameServerLifecycle _lifecycle;
    private readonly BrokerRegistry _registry;
    private readonly MinBrokerIdNotifier _notifier;
    private readonly RemotingServer _server;
    private readonly HttpEndpoint? _http;
    private readonly GrayState _gray;
    private readonly GrayFactFinder _grayFacts;
    private readonly X509Certificate2? _certificate;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private BrokerExpiry? _expiry;

    /// <summary>Reads the key-value configuration and the certificate; nothing is served yet.</summary>
    /// <param name="settings">Loaded by <see cref="NameServerSettings.Catalogue"/>.</param>
    /// <param name="time">The clock, monotonic and of the wall.</param>
    /// <param name="loggers">Where log lines go.</param>
    /// <param name="settingsFile">The file of -c, which keeps changes made while running; null keeps them in memory.</param>
    /// <param name="transport">What connections come from; null means TCP.</param>
    /// <param name="sockets">Where listening sockets come from; null binds new ones.</param>
    /// <exception cref="InvalidDataException">The key-value configuration cannot be read.</exception>
    public NameServerHost(
        EffectiveSettings settings,
        TimeProvider time,
        ILoggerFactory loggers,
        string? settingsFile = null,
        IConnectionListenerFactory? transport = null,
        ListeningSockets? sockets = null)
    {
        NameServerOptions options = NameServerOptions.From(settings);
        _time = time;
        _logger = loggers.CreateLogger<NameServerHost>();
        _options = new LiveOptions(options);
        var leases = new DrainLeases(time);
        _known = KnownBrokers.Open(options.KnownBrokersPath, _options, time, _logger);
        var routeState = new RouteState(time, _logger);
        _registry = new BrokerRegistry(routeState, _options, leases, _logger, _known);
        var routes = new RouteTable(routeState, _options);
        _notifier = new MinBrokerIdNotifier(time, loggers);
        _certificate = ServerCertificate.Load(options.TlsServerCertPath, options.TlsServerKeyPath);
        KVConfigStore configs = KVConfigStore.Open(options.KVConfigPath);
        var registrations = new RegistrationHandler(_registry, configs, _options, _notifier, _logger);
        _gray = new GrayState(
            options.GrayDatabase.Open(options.GrayDatabaseTimeout), options.GrayPollInterval, options.EndPoint.ToString(), time, _logger);
        var grayBrokers = new GrayBrokers(time);
        var grayWatchers = new GrayWatchers();
        _gray.Changed += grayWatchers.Tell;
        _grayFacts = new GrayFactFinder(routes, grayBrokers, time, loggers);
        _lifecycle = new NameServerLifecycle(_known, _options, time);
        CountedRequests requests = NameServerRequests.Table(
            new RouteHandler(new RouteAnswers(routes, configs, _options), _known, _lifecycle),
            registrations,
            new ClusterHandler(routes, _logger),
            new DrainHandler(leases, _logger),
            new TopicHandler(routes, _options, _logger),
            new KVConfigHandler(configs, _logger),
            new ConfigurationHandler(settings, settingsFile, _options, _logger),
            new GrayHandler(_gray, grayBrokers, grayWatchers, _grayFacts, routes));
        _server = new RemotingServer(
            new RemotingServerOptions
            {
                EndPoints = [options.EndPoint],
                Certificate = _certificate,
                MaxConnections = options.MaxConnections,
                MaxIdle = options.MaxIdle,
                Proxy = options.Proxy,
                TlsMode = options.TlsMode,
            },
            requests.Table,
            transport ?? SocketTransport.Create(time, loggers, sockets),
            time,
            loggers);
        _server.ConnectionClosed += registrations.OnConnectionClosed;
        _server.ConnectionClosed += grayWatchers.Remove;
        if (options.HttpEndPoint is { } http)
        {
            var pages = new NameServerPages(_lifecycle, new NameServerMetrics(_lifecycle, routes, _known, _server, requests));
            _http = new HttpEndpoint(
                http,
                pages.ByPath,
                new PostGuard(token: "", http.Address),
                () => _lifecycle.IsLeaving,
                loggers,
                sockets is null ? null : sockets.Bind);
        }
    }

    /// <summary>The addresses that are bound, once started.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => _server.EndPoints;

    /// <summary>Where health checks and metrics are, once started; null when they are switched off.</summary>
    public IPEndPoint? HttpEndPoint => _http?.EndPoint;

    /// <exception cref="IOException">An address cannot be bound; the message names it.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (_http is not null)
        {
            await _http.StartAsync(cancellationToken).ConfigureAwait(false);
        }

        await _server.StartAsync(cancellationToken).ConfigureAwait(false);
        _lifecycle.Serve();
        _expiry = new BrokerExpiry(_registry, _notifier, _options.Current.ScanNotActiveBrokerInterval, _time, _logger);
        _gray.Start();
        Log.Started(_logger, EndPoints[0]);
    }

    /// <summary>
    /// Is not ready any more, and serves everybody who comes nonetheless, until load balancers have seen it. Connections stay: clients ask
    /// another name server once theirs has ended, and not before.
    /// </summary>
    public async Task DrainAsync(CancellationToken hurry)
    {
        _lifecycle.Leave();
        TimeSpan time = _options.Current.DrainTime;
        if (time > TimeSpan.Zero && !hurry.IsCancellationRequested)
        {
            Log.Leaving(_logger, (long)time.TotalMilliseconds);
            await Task.Delay(time, _time, hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Answers what has been asked, and closes; what is left when <paramref name="cancellationToken"/> is cancelled is cut off.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        _lifecycle.Stop();
        _expiry?.Dispose();
        _known.LetGo();
        await _server.StopAsync(cancellationToken).ConfigureAwait(false);
        _known.Write();
        if (_http is not null)
        {
            await _http.StopAsync(cancellationToken).ConfigureAwait(false);
        }

        Log.Stopped(_logger);
    }

    public async ValueTask DisposeAsync()
    {
        _expiry?.Dispose();
        await _server.DisposeAsync().ConfigureAwait(false);
        if (_http is not null)
        {
            await _http.DisposeAsync().ConfigureAwait(false);
        }

        _known.Dispose();
        await _notifier.DisposeAsync().ConfigureAwait(false);
        await _gray.DisposeAsync().ConfigureAwait(false);
        await _grayFacts.DisposeAsync().ConfigureAwait(false);
        _certificate?.Dispose();
    }
}
