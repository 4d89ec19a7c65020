using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Remoting.Clients;

/// <summary>
/// Asks servers by address over one connection each, made when it is first needed and again when it has ended. Servers may ask
/// back: their requests are answered from the table handed in.
/// </summary>
public sealed class RemotingClient : IAsyncDisposable
{
    private const int MaxConnectAttempts = 3;

    // A request that was given less time says nothing about its connection.
    private static readonly TimeSpan MinSilence = TimeSpan.FromSeconds(1);

    private readonly RemotingClientOptions _options;
    private readonly UnsentBudget _unsent;
    private readonly RequestTable _requests;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SocketConnectionContextFactory _transport;
    private readonly ConcurrentDictionary<string, Lazy<Task<RemotingConnection>>> _connections = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<RemotingConnection, Task> _serving = new();
    private volatile bool _disposed;

    public RemotingClient(RemotingClientOptions options, RequestTable requests, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _unsent = new UnsentBudget(options.Connection.MaxUnsentBytesOfAll);
        _requests = requests;
        _time = time;
        _logger = loggers.CreateLogger<RemotingClient>();
        _transport = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), _logger);
    }

    /// <summary>Raised for each connection that is made, by its address, before anything is sent by it.</summary>
    public event Action<string>? ConnectionOpened;

    /// <summary>Raised once for each connection that ended.</summary>
    public event Action<string, RemotingConnection>? ConnectionClosed;

    /// <summary>Asks the server at <paramref name="address"/> and waits for its answer, whatever its code.</summary>
    /// <exception cref="ConnectionClosedException">The server cannot be reached, or the connection ended before the answer.</exception>
    /// <exception cref="TimeoutException">No answer came in time.</exception>
    public async Task<RemotingCommand> InvokeAsync<THeader>(
        string address,
        RequestCode code,
        THeader header,
        ReadOnlyMemory<byte> body,
        TimeSpan timeout,
        CancellationToken cancel = default)
        where THeader : IHeaderFields
    {
        RemotingConnection connection = await ConnectAsync(address, cancel).ConfigureAwait(false);
        long started = _time.GetTimestamp();
        try
        {
            return await connection.InvokeAsync(code, header, body, timeout, _options.SerializeType, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException) when (connection.LastReadTimestamp < started && timeout >= MinSilence)
        {
            // Nothing at all came: the server may be gone without a word, and only a new connection will tell
            // (RocketMQ: clientCloseSocketIfTimeout).
            connection.Abort($"{code} was not answered within {timeout.TotalMilliseconds:F0} ms, nor did anything else come");
            throw;
        }
    }

    /// <summary>Sends a request that nobody answers.</summary>
    /// <inheritdoc cref="InvokeAsync"/>
    public async Task SendOneWayAsync<THeader>(
        string address, RequestCode code, THeader header, ReadOnlyMemory<byte> body, CancellationToken cancel = default)
        where THeader : IHeaderFields
    {
        RemotingConnection connection = await ConnectAsync(address, cancel).ConfigureAwait(false);
        if (!connection.SendOneWay(code, in header, body.Span, _options.SerializeType))
        {
            throw new ConnectionClosedException($"connection to {address} is closed");
        }

        await connection.FlushedAsync().WaitAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>The connection to <paramref name="address"/>, made if there is none.</summary>
    /// <exception cref="ConnectionClosedException">The server cannot be reached.</exception>
    public async ValueTask<RemotingConnection> ConnectAsync(string address, CancellationToken cancel = default)
    {
        for (int attempt = 0; attempt < MaxConnectAttempts; attempt++)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Lazy<Task<RemotingConnection>> entry = _connections.GetOrAdd(
                address, static (address, client) => new Lazy<Task<RemotingConnection>>(
                    () => Detached.RunAsync(() => client.OpenAsync(address))), this);

            // What failed before this call, when nobody waited for it any more, is tried again.
            bool old = entry.IsValueCreated && entry.Value.IsFaulted;
            try
            {
                RemotingConnection connection = await entry.Value.WaitAsync(cancel).ConfigureAwait(false);
                if (!connection.IsClosed)
                {
                    return connection;
                }
            }
            catch when (entry.Value.IsFaulted)
            {
                _connections.TryRemove(KeyValuePair.Create(address, entry));
                if (!old)
                {
                    throw;
                }
            }

            _connections.TryRemove(KeyValuePair.Create(address, entry));
        }

        throw new ConnectionClosedException($"cannot connect to {address}: it closes each connection at once");
    }

    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        foreach (Lazy<Task<RemotingConnection>> entry in _connections.Values)
        {
            // Connections that are being made see that they are not wanted any more.
            if (entry.IsValueCreated)
            {
                await ((Task)entry.Value).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        foreach ((RemotingConnection connection, _) in _serving)
        {
            connection.StopReading();
        }

        var serving = Task.WhenAll(_serving.Values);
        try
        {
            await serving.WaitAsync(ConnectionEnding.LingerTimeout, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            foreach ((RemotingConnection connection, _) in _serving)
            {
                connection.Abort("the client stops, and its last answers could not be sent");
            }

            await serving.ConfigureAwait(false);
        }

        _transport.Dispose();
    }

    private async Task<RemotingConnection> OpenAsync(string address)
    {
        EndPoint endPoint = RemotingAddress.Parse(address);
        using var limited = new CancellationTokenSource(_options.ConnectTimeout, _time);
        Socket socket = endPoint is IPEndPoint ip
            ? new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        ConnectionContext? context = null;
        IDuplexPipe transport;
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(endPoint, limited.Token).ConfigureAwait(false);
            context = _transport.Create(socket);
            transport = _options.Tls is { } tls
                ? await TlsTransport.ConnectAsync(context.Transport, tls, limited.Token).ConfigureAwait(false)
                : context.Transport;
        }
        catch (Exception e)
        {
            if (context is not null)
            {
                await context.DisposeAsync().ConfigureAwait(false);
            }

            socket.Dispose();
            string reason = e is OperationCanceledException
                ? $"no connection within {_options.ConnectTimeout.TotalMilliseconds:F0} ms"
                : e.Message;
            throw new ConnectionClosedException($"cannot connect to {address}: {reason}", e);
        }

        var connection = new RemotingConnection(context, transport, _requests, _options.Connection, _unsent, _time, _logger);
        var registered = new TaskCompletionSource();
        _serving[connection] = ServeAsync(address, connection, context, transport, registered.Task);
        registered.SetResult();
        if (_disposed)
        {
            connection.StopReading();
            throw new ConnectionClosedException($"cannot connect to {address}: the client was disposed");
        }

        Tell(() => ConnectionOpened?.Invoke(address));
        return connection;
    }

    private async Task ServeAsync(
        string address, RemotingConnection connection, ConnectionContext context, IDuplexPipe transport, Task registered)
    {
        await connection.RunAsync().ConfigureAwait(false);
        await registered.ConfigureAwait(false);
        await ConnectionEnding.CloseAsync(context, transport as TlsTransport, _time).ConfigureAwait(false);
        if (_connections.TryGetValue(address, out Lazy<Task<RemotingConnection>>? entry)
            && entry.IsValueCreated
            && entry.Value is { IsCompletedSuccessfully: true } opened
            && await opened.ConfigureAwait(false) == connection)
        {
            _connections.TryRemove(KeyValuePair.Create(address, entry));
        }

        _serving.TryRemove(connection, out _);
        Tell(() => ConnectionClosed?.Invoke(address, connection));
    }

    private void Tell(Action raise)
    {
        try
        {
            raise();
        }
        catch (Exception e)
        {
            Log.ConnectionEventFailed(_logger, e);
        }
    }
}
