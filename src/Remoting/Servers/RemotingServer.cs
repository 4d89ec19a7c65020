using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Proxies;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Remoting.Servers;

/// <summary>
/// Listens, and serves each connection's requests from one <see cref="RequestTable"/>. The transport is handed in: sockets in
/// production, memory in tests.
/// </summary>
public sealed class RemotingServer : IAsyncDisposable
{
    private static readonly TimeSpan IdleScanInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AcceptRetryDelay = TimeSpan.FromMilliseconds(100);

    // Connections that were cut off end at once, but for a handler that holds the read loop.
    private static readonly TimeSpan CutOffTimeout = TimeSpan.FromSeconds(5);

    private readonly RemotingServerOptions _options;
    private readonly RequestTable _requests;
    private readonly IConnectionListenerFactory _transport;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ProxyAcceptor _proxies;
    private readonly TlsAcceptor _tls;
    private readonly LineThrottle _refusals;
    private readonly UnsentBudget _unsent;
    private readonly ConcurrentDictionary<string, RemotingConnection> _connections = new();

    // All that is open, those included that are not served yet or no longer.
    private readonly ConcurrentDictionary<ConnectionContext, bool> _contexts = new();
    private readonly List<IConnectionListener> _listeners = [];
    private readonly List<Task> _accepting = [];

    // Done once, by whoever is the first to stop the server; all wait for it.
    private readonly Lazy<Task> _unbinding;
    private readonly CancellationTokenSource _stopping = new();
    private ITimer? _idleScan;
    private int _open;
    private TaskCompletionSource? _allClosed;
    private int _disposed;

    public RemotingServer(
        RemotingServerOptions options,
        RequestTable requests,
        IConnectionListenerFactory transport,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        _options = options;
        _requests = requests;
        _transport = transport;
        _time = time;
        _logger = loggers.CreateLogger<RemotingServer>();
        _unsent = new UnsentBudget(options.Connection.MaxUnsentBytesOfAll);
        _proxies = new ProxyAcceptor(options, time, _logger);
        _tls = new TlsAcceptor(options, time, _logger);
        _refusals = new LineThrottle(time);
        _unbinding = new Lazy<Task>(UnbindAsync);
    }

    /// <summary>Raised once for each connection that ended, after its last request was read.</summary>
    public event Action<RemotingConnection>? ConnectionClosed;

    /// <summary>The addresses that are bound, in the order of the options.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => [.. _listeners.Select(listener => (IPEndPoint)listener.EndPoint)];

    public IEnumerable<RemotingConnection> Connections => _connections.Values;

    public int ConnectionCount => _connections.Count;

    /// <summary>Binds all addresses and begins to accept.</summary>
    /// <exception cref="IOException">An address cannot be bound; the message names it.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        try
        {
            foreach (IPEndPoint endPoint in _options.EndPoints)
            {
                _listeners.Add(await BindAsync(endPoint, cancel).ConfigureAwait(false));
            }
        }
        catch
        {
            await _unbinding.Value.ConfigureAwait(false);
            throw;
        }

        if (_options is { TlsMode: TlsMode.Enforcing, Certificate: null })
        {
            Log.EnforcingSelfSigned(_logger);
        }

        foreach (IConnectionListener listener in _listeners)
        {
            Log.Listening(_logger, listener.EndPoint);
            _accepting.Add(Detached.RunAsync(() => AcceptAsync(listener)));
        }

        if (!_options.NeverIdle)
        {
            _idleScan = _time.CreateTimer(_ => CloseIdle(), null, IdleScanInterval, IdleScanInterval);
        }
    }

    /// <summary>
    /// Accepts nothing more, lets each connection finish the requests that it has read, and closes them; what is left when
    /// <paramref name="cancel"/> is cancelled is cut off.
    /// </summary>
    public async Task StopAsync(CancellationToken cancel = default)
    {
        if (_idleScan is not null)
        {
            await _idleScan.DisposeAsync().ConfigureAwait(false);
        }

        Interlocked.CompareExchange(
            ref _allClosed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _unbinding.Value.ConfigureAwait(false);
        foreach (RemotingConnection connection in _connections.Values)
        {
            connection.StopReading();
        }

        if (Volatile.Read(ref _open) == 0)
        {
            return;
        }

        try
        {
            await _allClosed.Task.WaitAsync(cancel).ConfigureAwait(false);
            return;
        }
        catch (OperationCanceledException)
        {
            foreach (ConnectionContext context in _contexts.Keys)
            {
                Log.ConnectionAborted(_logger, context.RemoteEndPoint as IPEndPoint, "the server stops");
                context.Abort(new ConnectionAbortedException("the server stops"));
            }
        }

        try
        {
            await _allClosed.Task.WaitAsync(CutOffTimeout, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.ConnectionsHang(_logger, Volatile.Read(ref _open));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        using var now = new CancellationTokenSource();
        await now.CancelAsync().ConfigureAwait(false);
        await StopAsync(now.Token).ConfigureAwait(false);
        _tls.Dispose();
        _stopping.Dispose();
    }

    private async Task<IConnectionListener> BindAsync(IPEndPoint endPoint, CancellationToken cancel)
    {
        try
        {
            return await _transport.BindAsync(endPoint, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AddressInUseException or System.Net.Sockets.SocketException)
        {
            throw new IOException($"cannot listen on {endPoint}: {e.Message}", e);
        }
    }

    private async Task UnbindAsync()
    {
        foreach (IConnectionListener listener in _listeners)
        {
            await listener.UnbindAsync(CancellationToken.None).ConfigureAwait(false);
        }

        await Task.WhenAll(_accepting).ConfigureAwait(false);
        foreach (IConnectionListener listener in _listeners)
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }

        _accepting.Clear();
        _listeners.Clear();
    }

    private async Task AcceptAsync(IConnectionListener listener)
    {
        while (true)
        {
            ConnectionContext? context;
            try
            {
                context = await listener.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                if (_stopping.IsCancellationRequested)
                {
                    return;
                }

                Log.AcceptFailed(_logger, e, listener.EndPoint);
                await Task.Delay(AcceptRetryDelay, _time, _stopping.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            if (context is null)
            {
                return;
            }

            Accept(context);
        }
    }

    private void Accept(ConnectionContext context)
    {
        _contexts[context] = true;
        if (Interlocked.Increment(ref _open) > _options.MaxConnections)
        {
            if (_refusals.TryPass(out long held))
            {
                Log.TooManyConnections(_logger, context.RemoteEndPoint, _options.MaxConnections, held);
            }

            context.Abort(new ConnectionAbortedException("too many connections"));
            _ = CloseAsync(context, null);
            return;
        }

        // Accepting goes on while the connection is served.
        ThreadPool.UnsafeQueueUserWorkItem(
            static work => _ = work.Server.ServeAsync(work.Context), (Server: this, Context: context), preferLocal: false);
    }

    private async Task ServeAsync(ConnectionContext context)
    {
        IDuplexPipe? transport = null;
        try
        {
            Log.Connected(_logger, context.RemoteEndPoint);

            // Neither is cancelled when the peer leaves: what it sent before is still to be read.
            if (!await _proxies.AcceptAsync(context, _stopping.Token).ConfigureAwait(false))
            {
                return;
            }

            transport = await _tls.AcceptAsync(context.RemoteEndPoint, context.Transport, _stopping.Token).ConfigureAwait(false);
            if (transport is not null)
            {
                await ServeAsync(context, transport).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ConnectionAbortedException)
        {
            Log.ConnectionBroken(_logger, context.RemoteEndPoint as IPEndPoint, e.Message);
        }
        catch (Exception e)
        {
            Log.ServingFailed(_logger, e, context.RemoteEndPoint);
        }
        finally
        {
            await CloseAsync(context, transport as TlsTransport).ConfigureAwait(false);
        }
    }

    private async Task ServeAsync(ConnectionContext context, IDuplexPipe transport)
    {
        var connection = new RemotingConnection(context, transport, _requests, _options.Connection, _unsent, _time, _logger);
        _connections[connection.Id] = connection;
        if (Volatile.Read(ref _allClosed) is not null)
        {
            // Stopping did not see this connection.
            connection.StopReading();
        }

        await connection.RunAsync().ConfigureAwait(false);
        _connections.TryRemove(connection.Id, out _);
        try
        {
            ConnectionClosed?.Invoke(connection);
        }
        catch (Exception e)
        {
            Log.ConnectionEventFailed(_logger, e);
        }
    }

    private async Task CloseAsync(ConnectionContext context, TlsTransport? tls)
    {
        await ConnectionEnding.CloseAsync(context, tls, _time).ConfigureAwait(false);
        _contexts.TryRemove(context, out _);
        if (Interlocked.Decrement(ref _open) == 0)
        {
            Volatile.Read(ref _allClosed)?.TrySetResult();
        }
    }

    private void CloseIdle()
    {
        try
        {
            foreach ((_, RemotingConnection connection) in _connections)
            {
                if (connection.Idle > _options.MaxIdle)
                {
                    if (connection.TryAbort("idle"))
                    {
                        Log.ConnectionIdle(_logger, connection.RemoteEndPoint, (long)connection.Idle.TotalSeconds);
                    }
                }
                else if (connection.FrameAge > _options.MaxIdle && connection.TryAbort("its frame does not end"))
                {
                    Log.FrameStalled(_logger, connection.RemoteEndPoint, (long)connection.FrameAge.TotalSeconds);
                }
            }
        }
        catch (Exception e)
        {
            Log.IdleScanFailed(_logger, e);
        }
    }
}
