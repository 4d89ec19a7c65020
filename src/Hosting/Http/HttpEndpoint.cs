using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrayMQ.Hosting.Http;

/// <summary>
/// A few pages by HTTP, for probes and Prometheus: Kestrel without a web framework around it, so that it costs next to
/// nothing where nobody asks.
/// </summary>
public sealed class HttpEndpoint : IAsyncDisposable
{
    private const int MaxConnections = 256;
    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);

    private readonly KestrelServer _server;
    private readonly Pages _pages;
    private readonly IPEndPoint _address;
    private readonly ILogger _logger;

    /// <param name="address">Where to listen; port 0 takes a free one.</param>
    /// <param name="routes">What is answered, by path.</param>
    /// <param name="guard">Who may change something.</param>
    /// <param name="isLeaving">Whether clients are to come back to another server.</param>
    /// <param name="bind">Makes the listening socket; null binds a new one.</param>
    public HttpEndpoint(
        IPEndPoint address,
        IReadOnlyDictionary<string, HttpRoute> routes,
        PostGuard guard,
        Func<bool> isLeaving,
        ILoggerFactory loggers,
        Func<EndPoint, Socket>? bind = null)
    {
        _address = address;
        _logger = loggers.CreateLogger<HttpEndpoint>();
        _pages = new Pages(routes, guard, isLeaving, _logger);
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Listen(address, listen => listen.Protocols = HttpProtocols.Http1);
        options.Limits.MaxConcurrentConnections = MaxConnections;
        options.Limits.MaxRequestBodySize = 0;
        options.Limits.RequestHeadersTimeout = HeadersTimeout;
        var transportOptions = new SocketTransportOptions();
        if (bind is not null)
        {
            transportOptions.CreateBoundListenSocket = bind;
        }

        var transport = new SocketTransportFactory(Options.Create(transportOptions), loggers);
        _server = new KestrelServer(Options.Create(options), transport, loggers);
    }

    /// <summary>The address that is bound, once started.</summary>
    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.None, 0);

    /// <exception cref="IOException">The address cannot be bound; the message names it.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        try
        {
            await _server.StartAsync(_pages, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AddressInUseException or SocketException)
        {
            throw new IOException($"cannot listen on {_address} for HTTP: {e.Message}", e);
        }

        string bound = _server.Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var uri = new Uri(bound);
        EndPoint = new IPEndPoint(IPAddress.Parse(uri.Host), uri.Port);
        Log.HttpListening(_logger, EndPoint);
    }

    public Task StopAsync(CancellationToken cancel) => _server.StopAsync(cancel);

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class Pages(
        IReadOnlyDictionary<string, HttpRoute> routes, PostGuard guard, Func<bool> isLeaving, ILogger logger)
        : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }

        public async Task ProcessRequestAsync(HttpContext context)
        {
            HttpResponse response = context.Response;
            if (isLeaving())
            {
                response.Headers.Connection = "close";
            }

            if (!routes.TryGetValue(context.Request.Path.Value ?? "", out HttpRoute? route))
            {
                response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            if (!route.Takes(context.Request.Method))
            {
                response.StatusCode = StatusCodes.Status405MethodNotAllowed;
                response.Headers.Allow = route.Methods;
                return;
            }

            HttpPage written = route.Changes && guard.Refuse(context.Request) is { } refused
                ? refused
                : await WriteAsync(route, context.Request).ConfigureAwait(false);
            response.StatusCode = written.Status;
            response.ContentType = written.ContentType;
            response.ContentLength = written.Body.Length;
            response.Headers.CacheControl = "no-store";
            if (!HttpMethods.IsHead(context.Request.Method))
            {
                await response.Body.WriteAsync(written.Body, context.RequestAborted).ConfigureAwait(false);
            }
        }

        private async ValueTask<HttpPage> WriteAsync(HttpRoute route, HttpRequest request)
        {
            try
            {
                return await route.Answer(request).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                Log.PageFailed(logger, e);
                return HttpPage.Text(StatusCodes.Status500InternalServerError, "the page cannot be made, the log says why");
            }
        }
    }
}
