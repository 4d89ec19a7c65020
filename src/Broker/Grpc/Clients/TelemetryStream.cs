using Google.Protobuf;
using GrayMQ.Grpc.Calls;
using GrayMQ.Grpc.Framing;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Clients;

/// <summary>
/// A client's telemetry stream: reads what it tells, and sends it commands in the order in which they are handed in. Costs no more than
/// the stream itself while nothing happens.
/// </summary>
internal sealed class TelemetryStream : IDisposable
{
    // A client that leaves so many unread does not read at all.
    private const int MaxUnsent = 64;

    // For a client to take the last command and end its side, before the connection goes.
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan FirstSettingsTimeout = TimeSpan.FromSeconds(30);

    private readonly GrpcCall _call;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ending = new();
    private readonly Queue<V2.TelemetryCommand> _unsent = new();
    private Task _sending = Task.CompletedTask;
    private ITimer? _timer;
    private bool _isSending;
    private bool _isClosed;

    public TelemetryStream(GrpcCall call, TimeProvider time)
    {
        _call = call;
        _time = time;
        _timer = EndAfter(FirstSettingsTimeout);
    }

    /// <summary>Hands every command of the client to <paramref name="handle"/> until either side ends the stream.</summary>
    /// <exception cref="GrpcException">The client told nothing in time, or what is no command.</exception>
    public async Task RunAsync(MessageParser<V2.TelemetryCommand> parser, Action<V2.TelemetryCommand> handle)
    {
        ITimer? first = _timer;
        CancellationTokenRegistration stopping = _call.Stopping.UnsafeRegister(static stream => ((TelemetryStream)stream!).Leave(), this);
        bool heard = false;
        try
        {
            while (await _call.ReadAsync(parser, _ending.Token).ConfigureAwait(false) is { } command)
            {
                if (!heard)
                {
                    // It may be silent from now on, and there may be many that are: nothing is kept for it, but what ends it if the
                    // broker leaves already.
                    heard = true;
                    Interlocked.CompareExchange(ref _timer, null, first);
                    first?.Dispose();
                    first = null;
                }

                handle(command);
            }
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested && !_call.IsAborted)
        {
            if (!heard && !_call.Stopping.IsCancellationRequested)
            {
                throw new GrpcException(
                    GrpcStatusCode.DeadlineExceeded,
                    $"the stream told no settings within {FirstSettingsTimeout.TotalSeconds:F0} s",
                    "NO_SETTINGS");
            }
        }
        finally
        {
            await stopping.DisposeAsync().ConfigureAwait(false);
            await CloseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>False when the stream has ended, or the client leaves too much unread.</summary>
    public bool TrySend(V2.TelemetryCommand command)
    {
        lock (_unsent)
        {
            if (_isClosed || _unsent.Count >= MaxUnsent)
            {
                return false;
            }

            _unsent.Enqueue(command);
            if (!_isSending)
            {
                _isSending = true;
                _sending = Task.Run(SendAllAsync);
            }

            return true;
        }
    }

    /// <summary>Tells the client to look for its endpoints anew.</summary>
    public void Reconnect() => TrySend(new V2.TelemetryCommand
    {
        ReconnectEndpointsCommand = new V2.ReconnectEndpointsCommand { Nonce = Guid.NewGuid().ToString("N") },
    });

    /// <summary>Ends the stream in good order.</summary>
    public void End()
    {
        try
        {
            _ending.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended.
        }
    }

    public void Dispose()
    {
        Interlocked.Exchange(ref _timer, null)?.Dispose();
        _ending.Dispose();
    }

    // The broker leaves: the client is to look for its endpoints anew, and the stream ends.
    private void Leave()
    {
        Interlocked.Exchange(ref _timer, EndAfter(LeaveTimeout))?.Dispose();
        Reconnect();
    }

    private ITimer EndAfter(TimeSpan time) =>
        _time.CreateTimer(static stream => ((TelemetryStream)stream!).End(), this, time, Timeout.InfiniteTimeSpan);

    private async Task SendAllAsync()
    {
        while (true)
        {
            V2.TelemetryCommand? command;
            lock (_unsent)
            {
                if (!_unsent.TryDequeue(out command))
                {
                    _isSending = false;
                    return;
                }
            }

            try
            {
                await _call.WriteAsync(command).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException)
            {
                // The client is gone, or reads nothing.
                lock (_unsent)
                {
                    _isClosed = true;
                    _isSending = false;
                }

                End();
                return;
            }
        }
    }

    private async Task CloseAsync()
    {
        Task sending;
        lock (_unsent)
        {
            _isClosed = true;
            sending = _sending;
        }

        await sending.ConfigureAwait(false);
    }
}
