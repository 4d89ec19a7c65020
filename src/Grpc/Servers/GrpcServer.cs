using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using GrayMQ.Grpc.Calls;
using GrayMQ.Remoting.Proxies;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Transports;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrayMQ.Grpc.Servers;

/// <summary>A gRPC server on Kestrel's HTTP/2, plain text and TLS on one port.</summary>
public sealed class GrpcServer : IAsyncDisposable
{
    private readonly GrpcServerOptions _options;
    private readonly KestrelServer _kestrel;
    private readonly GrpcApplication _application;
    private readonly ProxyAcceptor _proxies;
    private readonly TlsAcceptor _tls;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger;
    private int _connectionCount;
    private int _disposed;

    /// <param name="sockets">Where listening sockets come from; null binds new ones.</param>
    public GrpcServer(
        GrpcServerOptions options, MethodTable methods, TimeProvider time, ILoggerFactory loggers, ListeningSockets? sockets = null)
    {
        _options = options;
        _logger = loggers.CreateLogger<GrpcServer>();
        _application = new GrpcApplication(methods, options, time, _logger, _stopping.Token);
        var beginning = new RemotingServerOptions
        {
            EndPoints = [options.EndPoint],
            TlsMode = options.TlsMode,
            Certificate = options.Certificate,
            MaxIdle = options.MaxIdle,
            Proxy = options.Proxy,
        };
        _proxies = new ProxyAcceptor(beginning, time, _logger);
        _tls = new TlsAcceptor(beginning, time, _logger, [SslApplicationProtocol.Http2]);
        var transportOptions = new SocketTransportOptions();
        if (sockets is not null)
        {
            transportOptions.CreateBoundListenSocket = sockets.Bind;
        }

        var transport = new SocketTransportFactory(Options.Create(transportOptions), loggers);
        _kestrel = new KestrelServer(Options.Create(KestrelOptions(options)), transport, loggers);
    }

    /// <summary>The address that is bound, once started.</summary>
    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.None, 0);

    /// <summary>Connections that are open.</summary>
    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    /// <summary>Calls that are under way: streams, and what waits for messages.</summary>
    public int CallCount => _application.CallCount;

    /// <exception cref="IOException">The address cannot be bound; the message names it.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        try
        {
            await _kestrel.StartAsync(_application, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AddressInUseException or System.Net.Sockets.SocketException)
        {
            throw new IOException($"cannot listen on {_options.EndPoint} for gRPC: {e.Message}", e);
        }

        var uri = new Uri(_kestrel.Features.Get<IServerAddressesFeature>()!.Addresses.First());
        EndPoint = new IPEndPoint(IPAddress.Parse(uri.Host), uri.Port);
        Log.Listening(_logger, EndPoint);
    }

    /// <summary>
    /// Takes no more calls (HTTP/2 GOAWAY) and asks the long ones to end; returns when all have, or cuts off what is left when
    /// <paramref name="cancel"/> is cancelled.
    /// </summary>
    public async Task StopAsync(CancellationToken cancel = default)
    {
        Task stopped = _kestrel.StopAsync(cancel);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await stopped.ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _stopping.Cancel();
            _kestrel.Dispose();
            _tls.Dispose();
            _stopping.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private KestrelServerOptions KestrelOptions(GrpcServerOptions options)
    {
        var kestrel = new KestrelServerOptions
        {
            AddServerHeader = false,

            // TLS ends before Kestrel sees the connection: it takes all for plain, and clients say https.
            AllowAlternateSchemes = true,
        };
        kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
        kestrel.Limits.KeepAliveTimeout = options.MaxIdle;
        kestrel.Limits.MaxRequestBodySize = null;

        // Streams may be silent for as long as they are; requests have a time limit of their own.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = options.MaxStreamsOfConnection;
        kestrel.Limits.Http2.KeepAlivePingDelay = options.PingAfter;
        kestrel.Limits.Http2.KeepAlivePingTimeout = options.PingTimeout;
        kestrel.Listen(options.EndPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(next => connection => CountAsync(connection, next));
        });
        return kestrel;
    }

    private async Task CountAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        Interlocked.Increment(ref _connectionCount);
        try
        {
            await AcceptAsync(connection, next).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _connectionCount);
        }
    }

    private async Task AcceptAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (!await _proxies.AcceptAsync(connection, connection.ConnectionClosed).ConfigureAwait(false))
        {
            return;
        }

        IDuplexPipe plain = connection.Transport;
        IDuplexPipe? transport = await _tls.AcceptAsync(connection.RemoteEndPoint, plain, connection.ConnectionClosed).ConfigureAwait(false);
        if (transport is null)
        {
            return;
        }

        if (transport is not IAsyncDisposable encrypted)
        {
            await next(connection).ConfigureAwait(false);
            return;
        }

        await using (encrypted.ConfigureAwait(false))
        {
            connection.Transport = transport;
            try
            {
                await next(connection).ConfigureAwait(false);
            }
            finally
            {
                connection.Transport = plain;
            }
        }
    }
}
