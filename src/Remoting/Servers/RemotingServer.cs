using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
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

    private readonly RemotingServerOptions _options;
    private readonly RequestTable _requests;
    private readonly IConnectionListenerFactory _transport;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TlsAcceptor _tls;
    private readonly ConcurrentDictionary<string, RemotingConnection> _connections = new();
    private readonly List<IConnectionListener> _listeners = [];
    private readonly List<Task> _accepting = [];
    private readonly CancellationTokenSource _stopping = new();
    private ITimer? _idleScan;
    private int _open;
    private volatile TaskCompletionSource? _allClosed;

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
        _tls = new TlsAcceptor(options, time, _logger);
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
            await UnbindAsync(cancel).ConfigureAwait(false);
            throw;
        }

        foreach (IConnectionListener listener in _listeners)
        {
            Log.Listening(_logger, listener.EndPoint);
            _accepting.Add(AcceptAsync(listener));
        }

        _idleScan = _time.CreateTimer(_ => CloseIdle(), null, IdleScanInterval, IdleScanInterval);
    }

    /// <summary>
    /// Accepts nothing more, lets each connection finish the requests that it has read, and closes them; what is left when
    /// <paramref name="cancel"/> is cancelled is cut off.
    /// </summary>
    public async Task StopAsync(CancellationToken cancel = default)
    {
        _idleScan?.Dispose();
        await UnbindAsync(cancel).ConfigureAwait(false);
        var allClosed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _allClosed = allClosed;
        await _stopping.CancelAsync().ConfigureAwait(false);
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
            await allClosed.Task.WaitAsync(cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            foreach (RemotingConnection connection in _connections.Values)
            {
                connection.Abort("the server stops");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
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

    private async Task UnbindAsync(CancellationToken cancel)
    {
        foreach (IConnectionListener listener in _listeners)
        {
            await listener.UnbindAsync(cancel).ConfigureAwait(false);
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
        try
        {
            while (await listener.AcceptAsync().ConfigureAwait(false) is { } context)
            {
                if (Interlocked.Increment(ref _open) > _options.MaxConnections)
                {
                    Log.TooManyConnections(_logger, context.RemoteEndPoint, _options.MaxConnections);
                    context.Abort();
                    _ = DisposeAsync(context);
                    continue;
                }

                // Accepting goes on while the connection is served.
                ThreadPool.UnsafeQueueUserWorkItem(
                    static work => _ = work.Server.ServeAsync(work.Context), (Server: this, Context: context), preferLocal: false);
            }
        }
        catch (Exception e)
        {
            Log.AcceptFailed(_logger, e, listener.EndPoint);
        }
    }

    private async Task ServeAsync(ConnectionContext context)
    {
        IDuplexPipe? transport = null;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.ConnectionClosed, _stopping.Token);
        try
        {
            Log.Connected(_logger, context.RemoteEndPoint);
            transport = await _tls.AcceptAsync(context.RemoteEndPoint, context.Transport, ended.Token).ConfigureAwait(false);
            if (transport is not null)
            {
                await ServeAsync(context, transport).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ConnectionAbortedException)
        {
            Log.ConnectionBroken(_logger, context.RemoteEndPoint as IPEndPoint, e.Message);
        }
        finally
        {
            if (transport is TlsTransport tls)
            {
                await tls.DisposeAsync().ConfigureAwait(false);
            }

            await DisposeAsync(context).ConfigureAwait(false);
        }
    }

    private async Task ServeAsync(ConnectionContext context, IDuplexPipe transport)
    {
        var connection = new RemotingConnection(context, transport, _requests, _options.Connection, _time, _logger);
        _connections[connection.Id] = connection;
        if (_allClosed is not null)
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

    private async Task DisposeAsync(ConnectionContext context)
    {
        await context.DisposeAsync().ConfigureAwait(false);
        if (Interlocked.Decrement(ref _open) == 0)
        {
            _allClosed?.TrySetResult();
        }
    }

    private void CloseIdle()
    {
        foreach (RemotingConnection connection in _connections.Values)
        {
            TimeSpan idle = _time.GetElapsedTime(connection.LastReadTimestamp);
            if (idle > _options.MaxIdle)
            {
                Log.ConnectionIdle(_logger, connection.RemoteEndPoint, (long)idle.TotalSeconds);
                connection.Abort("idle");
            }
        }
    }
}
