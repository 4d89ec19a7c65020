using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Remoting.Connections;

/// <summary>
/// One peer. Both sides of a connection may ask and answer, so servers and clients share this type: it cuts frames out of the
/// incoming bytes, hands requests to the <see cref="RequestTable"/> and responses to whoever waits for them, and writes
/// frames in the order in which they are handed in. Answers given while a batch of requests is being read leave with one
/// flush at its end.
/// </summary>
public sealed partial class RemotingConnection : RemotingPeer
{
    private const long NoFrame = long.MinValue;

    private readonly ConnectionContext _context;
    private readonly PipeReader _input;
    private readonly FrameOutput _output;
    private readonly RequestTable _requests;
    private readonly ConnectionOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<int, OutboundCall> _outbound = new();
    private readonly TaskCompletionSource _allAnswered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RemotingCommand _command = new();
    private volatile bool _stopping;
    private volatile bool _draining;
    private long _lastReadTimestamp;
    private long _handledTimestamp;
    private long _frameBegunTimestamp = NoFrame;
    private int _nextOpaque;
    private int _aborted;
    private int _closed;

    /// <param name="context">The transport's connection; disposed by whoever made it.</param>
    /// <param name="transport">Where bytes come from and go to: the context's own pipe, or TLS above it.</param>
    internal RemotingConnection(
        ConnectionContext context,
        IDuplexPipe transport,
        RequestTable requests,
        ConnectionOptions options,
        UnsentBudget budget,
        TimeProvider time,
        ILogger logger)
    {
        _context = context;
        _input = transport.Input;
        _output = new FrameOutput(transport.Output, options.MaxUnsentBytes, budget, time, OutputBroken);
        _requests = requests;
        _options = options;
        _time = time;
        _logger = logger;
        _lastReadTimestamp = _handledTimestamp = time.GetTimestamp();
        Features = new ConnectionFeatures(context.Features);
        Host = HostOf(RemoteEndPoint);
    }

    public string Id => _context.ConnectionId;

    /// <inheritdoc/>
    public override IPEndPoint? RemoteEndPoint => _context.RemoteEndPoint as IPEndPoint;

    /// <inheritdoc/>
    public override MessageHost Host { get; }

    /// <inheritdoc/>
    public override long? HandledTimestamp => Volatile.Read(ref _handledTimestamp);

    public IPEndPoint? LocalEndPoint => _context.LocalEndPoint as IPEndPoint;

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; }

    /// <summary>Cancelled when the connection has ended.</summary>
    public CancellationToken ConnectionClosed => _context.ConnectionClosed;

    /// <inheritdoc/>
    public override bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>When bytes came last, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    internal long LastReadTimestamp => Volatile.Read(ref _lastReadTimestamp);

    /// <summary>How long neither bytes came nor bytes were taken.</summary>
    internal TimeSpan Idle => _time.GetElapsedTime(Math.Max(LastReadTimestamp, _output.LastFlushTimestamp));

    /// <summary>How long a frame has been coming that is not there in full yet.</summary>
    internal TimeSpan FrameAge =>
        Volatile.Read(ref _frameBegunTimestamp) is long begun and not NoFrame ? _time.GetElapsedTime(begun) : TimeSpan.Zero;

    /// <inheritdoc/>
    public override void AfterBatch(IBatchWork work)
    {
        if (!_output.TryDoBefore(work))
        {
            work.Run();
        }
    }

    /// <inheritdoc/>
    /// <remarks>While too much waits to be sent, the request waits first.</remarks>
    public override async Task<RemotingCommand> InvokeAsync<THeader>(
        RequestCode code,
        THeader header,
        ReadOnlyMemory<byte> body,
        TimeSpan timeout,
        SerializeType type = SerializeType.Json,
        CancellationToken cancel = default)
    {
        long started = _time.GetTimestamp();
        int opaque = Interlocked.Increment(ref _nextOpaque);
        var call = new OutboundCall();
        _outbound[opaque] = call;
        try
        {
            Task? wait;
            while (!TryWriteRequest(type, code, opaque, oneWay: false, mayWait: true, in header, body.Span, out wait) && wait is not null)
            {
                await wait.WaitAsync(Left(started, timeout), _time, cancel).ConfigureAwait(false);
            }

            // Closing takes no more frames, then fails all calls that it finds; one that comes later sees the flag here.
            if (IsClosed || _output.IsClosed)
            {
                throw new ConnectionClosedException($"connection to {RemoteEndPoint} is closed");
            }

            return await call.Task.WaitAsync(Left(started, timeout), _time, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{code} to {RemoteEndPoint} was not answered within {timeout.TotalMilliseconds:F0} ms");
        }
        finally
        {
            _outbound.TryRemove(opaque, out _);
        }
    }

    /// <inheritdoc/>
    public override bool SendOneWay<THeader>(
        RequestCode code, in THeader header, ReadOnlySpan<byte> body = default, SerializeType type = SerializeType.Json) =>
        !IsClosed
        && TryWriteRequest(
            type, code, Interlocked.Increment(ref _nextOpaque), oneWay: true, mayWait: false, in header, body, out _);

    /// <summary>Completes when all that has been written so far was handed to the transport, or the connection is closed.</summary>
    public Task FlushedAsync() => _output.FlushedAsync();

    /// <inheritdoc/>
    public override void Abort(string reason)
    {
        if (TryAbort(reason))
        {
            Log.ConnectionAborted(_logger, RemoteEndPoint, reason);
        }
    }

    /// <summary>Ends the connection at once; true when it is to be told why, which is for the first time.</summary>
    internal bool TryAbort(string reason)
    {
        bool first = Interlocked.Exchange(ref _aborted, 1) == 0;
        _context.Abort(new ConnectionAbortedException(reason));
        return first;
    }

    /// <summary>
    /// Stops reading: the read loop ends after the batch in hand, once every request that was read has been answered and the answers
    /// have left.
    /// </summary>
    internal void StopReading()
    {
        _stopping = true;
        _input.CancelPendingRead();
    }

    /// <summary>Reads until either side ends the connection. Never throws: each way to end is logged once here.</summary>
    internal async Task RunAsync()
    {
        try
        {
            while (!_output.IsClosed)
            {
                ReadResult result = await _input.ReadAsync().ConfigureAwait(false);
                long now = _time.GetTimestamp();
                Volatile.Write(ref _lastReadTimestamp, now);
                Volatile.Write(ref _handledTimestamp, now);
                ReadOnlySequence<byte> rest = result.Buffer;
                while (true)
                {
                    bool more = HandleBatch(ref rest);
                    await _output.BatchDoneAsync().ConfigureAwait(false);
                    _output.EndBatch();
                    if (!more)
                    {
                        break;
                    }

                    await _output.UncongestedAsync().ConfigureAwait(false);

                    // That may have taken long, and what was read before is handled now.
                    Volatile.Write(ref _handledTimestamp, _time.GetTimestamp());
                }

                NoteFrame(begun: !rest.IsEmpty, anew: rest.Length < result.Buffer.Length);
                _input.AdvanceTo(rest.Start, rest.End);
                if (_stopping)
                {
                    await DrainAsync().ConfigureAwait(false);
                    break;
                }

                if (result.IsCompleted)
                {
                    if (!rest.IsEmpty)
                    {
                        Log.ConnectionEndedInFrame(_logger, RemoteEndPoint, rest.Length);
                    }

                    break;
                }

                // A peer that leaves its answers unread may ask no more for now. What came behind such a request waits with it,
                // responses included; two sides that both read nothing are ended by their idle time-outs.
                await _output.UncongestedAsync().ConfigureAwait(false);
            }
        }
        catch (ProtocolException e)
        {
            Log.ProtocolViolated(_logger, RemoteEndPoint, e.Message);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ConnectionAbortedException or ObjectDisposedException)
        {
            Log.ConnectionBroken(_logger, RemoteEndPoint, e.Message);
        }
        catch (Exception e)
        {
            Log.ReadLoopFailed(_logger, e, RemoteEndPoint);
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }
    }

    private TimeSpan Left(long started, TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return timeout;
        }

        TimeSpan left = timeout - _time.GetElapsedTime(started);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private bool TryWriteRequest<THeader>(
        SerializeType type,
        RequestCode code,
        int opaque,
        bool oneWay,
        bool mayWait,
        in THeader header,
        ReadOnlySpan<byte> body,
        out Task? wait)
        where THeader : IHeaderFields
    {
        HeaderBuffer buffer = _output.BeginFrame();
        CommandWriter.WriteRequest(buffer, type, code, opaque, oneWay, in header, body.Length);
        return _output.TryWriteRequest(buffer, body, mayWait, out wait);
    }

    private void OutputBroken(string reason, Exception? cause)
    {
        if (cause is not null)
        {
            Log.WriteFailed(_logger, cause, RemoteEndPoint);
        }

        Abort(reason);
    }

    private void NoteFrame(bool begun, bool anew)
    {
        if (!begun)
        {
            Volatile.Write(ref _frameBegunTimestamp, NoFrame);
        }
        else if (anew || _frameBegunTimestamp == NoFrame)
        {
            Volatile.Write(ref _frameBegunTimestamp, LastReadTimestamp);
        }
    }

    // Handles the whole frames at the buffer's start and moves it behind them. True when it stopped early, because the peer does not
    // take its answers.
    private bool HandleBatch(ref ReadOnlySequence<byte> buffer)
    {
        _output.BeginBatch();
        try
        {
            while (Frame.TryRead(ref buffer, _options.Commands, out Frame frame))
            {
                _command.Decode(in frame, _options.Commands);
                if (_command.IsResponse)
                {
                    HandleResponse();
                }
                else
                {
                    HandleRequest();
                    if (_output.IsCongested)
                    {
                        return !_output.IsClosed;
                    }
                }
            }

            return false;
        }
        catch
        {
            // What came before it is answered.
            _output.EndBatch();
            throw;
        }
    }

    private void HandleResponse()
    {
        if (_outbound.TryRemove(_command.Opaque, out OutboundCall? call))
        {
            _command.OwnBody();
            call.TrySetResult(_command);
            _command = new RemotingCommand();
        }
    }

    private async Task DrainAsync()
    {
        _draining = true;
        Interlocked.MemoryBarrier();
        if (RequestsInFlight > 0)
        {
            await _allAnswered.Task.WaitAsync(ConnectionClosed).ConfigureAwait(false);
        }

        await FlushedAsync().WaitAsync(ConnectionClosed).ConfigureAwait(false);
    }

    private async Task CloseAsync()
    {
        Volatile.Write(ref _closed, 1);
        await _output.CompleteAsync().ConfigureAwait(false);
        foreach (int opaque in _outbound.Keys)
        {
            if (_outbound.TryRemove(opaque, out OutboundCall? call))
            {
                call.TrySetException(new ConnectionClosedException($"connection to {RemoteEndPoint} closed before the answer"));
            }
        }

        try
        {
            await _input.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.ReadLoopFailed(_logger, e, RemoteEndPoint);
        }
    }

    private sealed class OutboundCall()
        : TaskCompletionSource<RemotingCommand>(TaskCreationOptions.RunContinuationsAsynchronously);
}
