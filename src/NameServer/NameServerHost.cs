using System.Net;
using System.Security.Cryptography.X509Certificates;
using GrayMQ.NameServer.Brokers;
using GrayMQ.NameServer.Configurations;
using GrayMQ.NameServer.Drains;
using GrayMQ.NameServer.Gray;
using GrayMQ.NameServer.Gray.Commands;
using GrayMQ.NameServer.Gray.Progress;
using GrayMQ.NameServer.Gray.States;
using GrayMQ.NameServer.KVConfigs;
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
public sealed class NameServerHost : IHostedService, IAsyncDisposable
{
    private readonly LiveOptions _options;
    private readonly KnownBrokers _known;
    private readonly RouteTable _routes;
    private readonly MinBrokerIdNotifier _notifier;
    private readonly RemotingServer _server;
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
        _routes = new RouteTable(_options, leases, time, _logger, _known);
        _notifier = new MinBrokerIdNotifier(time, loggers);
        _certificate = ServerCertificate.Load(options.TlsServerCertPath, options.TlsServerKeyPath);
        KVConfigStore configs = KVConfigStore.Open(options.KVConfigPath);
        var registrations = new RegistrationHandler(_routes, configs, _options, _notifier, _logger);
        _gray = new GrayState(
            options.GrayDatabase.Open(options.GrayDatabaseTimeout), options.GrayPollInterval, options.EndPoint.ToString(), time, _logger);
        var grayBrokers = new GrayBrokers(time);
        var grayWatchers = new GrayWatchers();
        _gray.Changed += grayWatchers.Tell;
        _grayFacts = new GrayFactFinder(_routes, grayBrokers, time, loggers);
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
            NameServerRequests.Table(
                new RouteHandler(new RouteAnswers(_routes, configs, _options), _known, _options, time),
                registrations,
                new ClusterHandler(_routes, _logger),
                new DrainHandler(leases, _logger),
                new TopicHandler(_routes, _options, _logger),
                new KVConfigHandler(configs, _logger),
                new ConfigurationHandler(settings, settingsFile, _options, _logger),
                new GrayHandler(_gray, grayBrokers, grayWatchers, _grayFacts, _routes)),
            transport ?? SocketTransport.Create(time, loggers, sockets),
            time,
            loggers);
        _server.ConnectionClosed += registrations.OnConnectionClosed;
        _server.ConnectionClosed += grayWatchers.Remove;
    }

    /// <summary>The addresses that are bound, once started.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => _server.EndPoints;

    /// <exception cref="IOException">The address cannot be bound; the message names it.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        await _server.StartAsync(cancellationToken).ConfigureAwait(false);
        _expiry = new BrokerExpiry(_routes, _notifier, _options.Current.ScanNotActiveBrokerInterval, _time, _logger);
        _gray.Start();
        Log.Started(_logger, EndPoints[0]);
    }

    /// <summary>Answers what has been asked, and closes; what is left when <paramref name="cancellationToken"/> is cancelled is cut off.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        _expiry?.Dispose();
        await _server.StopAsync(cancellationToken).ConfigureAwait(false);
        _known.Write();
        Log.Stopped(_logger);
    }

    public async ValueTask DisposeAsync()
    {
        _expiry?.Dispose();
        await _server.DisposeAsync().ConfigureAwait(false);
        _known.Dispose();
        await _notifier.DisposeAsync().ConfigureAwait(false);
        await _gray.DisposeAsync().ConfigureAwait(false);
        await _grayFacts.DisposeAsync().ConfigureAwait(false);
        _certificate?.Dispose();
    }
}
