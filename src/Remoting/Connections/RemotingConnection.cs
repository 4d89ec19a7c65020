using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
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
public sealed class RemotingConnection
{
    private readonly ConnectionContext _context;
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly RequestTable _requests;
    private readonly ConnectionOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _writing = new();
    private readonly HeaderBuffer _header = new();
    private readonly ConcurrentDictionary<int, OutboundCall> _outbound = new();
    private RemotingCommand _command = new();

    // Guarded by _writing.
    private Task _flush = Task.CompletedTask;
    private bool _flushing;
    private long _unsentBytes;
    private bool _batching;
    private bool _written;
    private bool _outputClosed;

    private readonly TaskCompletionSource _allAnswered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;
    private int _nextOpaque;
    private int _inFlight;
    private int _closed;

    /// <param name="context">The transport's connection; disposed by whoever made it.</param>
    /// <param name="transport">Where bytes come from and go to: the context's own pipe, or TLS above it.</param>
    internal RemotingConnection(
        ConnectionContext context,
        IDuplexPipe transport,
        RequestTable requests,
        ConnectionOptions options,
        TimeProvider time,
        ILogger logger)
    {
        _context = context;
        _input = transport.Input;
        _output = transport.Output;
        _requests = requests;
        _options = options;
        _time = time;
        _logger = logger;
        LastReadTimestamp = time.GetTimestamp();
    }

    public string Id => _context.ConnectionId;

    public IPEndPoint? RemoteEndPoint => _context.RemoteEndPoint as IPEndPoint;

    public IPEndPoint? LocalEndPoint => _context.LocalEndPoint as IPEndPoint;

    /// <summary>What is known of the peer, bound to this connection for life.</summary>
    public IFeatureCollection Features => _context.Features;

    /// <summary>Cancelled when the connection has ended.</summary>
    public CancellationToken ConnectionClosed => _context.ConnectionClosed;

    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>Requests of the peer that have not been answered yet.</summary>
    public int RequestsInFlight => Volatile.Read(ref _inFlight);

    /// <summary>When bytes came last, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    internal long LastReadTimestamp { get; private set; }

    /// <summary>Asks the peer and waits for its answer.</summary>
    /// <param name="body">Read before this method returns its task.</param>
    /// <param name="timeout">Counts from the call.</param>
    /// <returns>The answer, whatever its code; it owns its header and body.</returns>
    /// <exception cref="TimeoutException">No answer came in time.</exception>
    /// <exception cref="ConnectionClosedException">The connection ended before the answer.</exception>
    public async Task<RemotingCommand> InvokeAsync<THeader>(
        RequestCode code,
        THeader header,
        ReadOnlyMemory<byte> body,
        TimeSpan timeout,
        SerializeType type = SerializeType.Json,
        CancellationToken cancel = default)
        where THeader : IHeaderFields
    {
        int opaque = Interlocked.Increment(ref _nextOpaque);
        var call = new OutboundCall();
        _outbound[opaque] = call;
        try
        {
            // Closing fails all calls it finds; one that came too late to be found must see the flag here.
            if (IsClosed || !WriteRequest(type, code, opaque, oneWay: false, in header, body.Span))
            {
                throw new ConnectionClosedException($"connection to {RemoteEndPoint} is closed");
            }

            return await call.Task.WaitAsync(timeout, _time, cancel).ConfigureAwait(false);
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

    /// <summary>Sends a request that nobody answers; false when the connection is closed.</summary>
    public bool SendOneWay<THeader>(
        RequestCode code, in THeader header, ReadOnlySpan<byte> body = default, SerializeType type = SerializeType.Json)
        where THeader : IHeaderFields =>
        !IsClosed && WriteRequest(type, code, Interlocked.Increment(ref _nextOpaque), oneWay: true, in header, body);

    /// <summary>Completes when all that was written has been handed to the transport.</summary>
    public Task FlushedAsync()
    {
        lock (_writing)
        {
            return _flush;
        }
    }

    /// <summary>Ends the connection at once.</summary>
    public void Abort(string reason)
    {
        Log.ConnectionAborted(_logger, RemoteEndPoint, reason);
        _context.Abort(new ConnectionAbortedException(reason));
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
            while (true)
            {
                ReadResult result = await _input.ReadAsync().ConfigureAwait(false);
                LastReadTimestamp = _time.GetTimestamp();
                ReadOnlySequence<byte> rest = HandleBatch(result.Buffer);
                _input.AdvanceTo(rest.Start, rest.End);
                Task flush = EndBatch();
                if (!flush.IsCompletedSuccessfully)
                {
                    await flush.ConfigureAwait(false);
                }

                if (_stopping)
                {
                    await AllAnsweredAsync().ConfigureAwait(false);
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

    internal void Answered()
    {
        if (Interlocked.Decrement(ref _inFlight) == 0 && _stopping)
        {
            _allAnswered.TrySetResult();
        }
    }

    internal void WriteResponse<THeader, TBody>(
        SerializeType type, ResponseCode code, int opaque, string? remark, in THeader header, in TBody body)
        where THeader : IHeaderFields, allows ref struct
        where TBody : IBodyWriter
    {
        lock (_writing)
        {
            if (_outputClosed)
            {
                return;
            }

            int length = body.Length;
            CommandWriter.WriteResponse(_header, type, code, opaque, remark, in header, length);
            _output.Write(_header.Written);
            if (length > 0)
            {
                body.WriteTo(_output);
            }

            Written(_header.Length + length);
        }
    }

    private bool WriteRequest<THeader>(
        SerializeType type, RequestCode code, int opaque, bool oneWay, in THeader header, ReadOnlySpan<byte> body)
        where THeader : IHeaderFields
    {
        lock (_writing)
        {
            if (_outputClosed)
            {
                return false;
            }

            CommandWriter.WriteRequest(_header, type, code, opaque, oneWay, in header, body.Length);
            _output.Write(_header.Written);
            _output.Write(body);
            Written(_header.Length + body.Length);
            return true;
        }
    }

    // Called with _writing held, after a whole frame.
    private void Written(int bytes)
    {
        _unsentBytes += bytes;
        _written = true;
        if (_batching)
        {
            return;
        }

        if (!_flushing)
        {
            Flush();
        }
        else if (_unsentBytes > _options.MaxUnsentBytes)
        {
            _outputClosed = true;
            Abort($"{_unsentBytes} bytes of answers wait for a peer that does not read");
        }
    }

    private void BeginBatch()
    {
        lock (_writing)
        {
            _batching = true;
        }
    }

    private Task EndBatch()
    {
        lock (_writing)
        {
            _batching = false;
            if (_written && !_flushing && !_outputClosed)
            {
                Flush();
            }

            return _flush;
        }
    }

    // Called with _writing held and no flush under way.
    private void Flush()
    {
        _written = false;
        _unsentBytes = 0;
        ValueTask<FlushResult> flush = _output.FlushAsync();
        if (flush.IsCompletedSuccessfully)
        {
            _flush = Task.CompletedTask;
        }
        else
        {
            _flushing = true;
            _flush = FlushRestAsync(flush);
        }
    }

    // The peer reads slowly. Whatever is written meanwhile leaves with the next flush, made here.
    private async Task FlushRestAsync(ValueTask<FlushResult> flush)
    {
        while (true)
        {
            try
            {
                await flush.ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                lock (_writing)
                {
                    _outputClosed = true;
                    _flushing = false;
                }

                return;
            }

            lock (_writing)
            {
                if (!_written || _outputClosed)
                {
                    _flushing = false;
                    return;
                }

                _written = false;
                _unsentBytes = 0;
                flush = _output.FlushAsync();
            }
        }
    }

    private ReadOnlySequence<byte> HandleBatch(ReadOnlySequence<byte> buffer)
    {
        BeginBatch();
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
            }
        }

        return buffer;
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

    private void HandleRequest()
    {
        RemotingCommand command = _command;
        var responder = new Responder(this, command.RequestCode, command.Opaque, command.SerializeType, command.IsOneWay);
        int inFlight = Interlocked.Increment(ref _inFlight);
        if (!_requests.TryGet(command.Code, out RequestTable.Entry entry))
        {
            responder.Reply(ResponseCode.RequestCodeNotSupported, $" request type {command.Code} not supported");
            return;
        }

        if (inFlight > _options.MaxRequestsInFlight)
        {
            responder.Reply(
                ResponseCode.SystemBusy,
                $"[OVERLOAD]system busy, {_options.MaxRequestsInFlight} requests of this connection wait for their answers");
            return;
        }

        if (entry.OnPool)
        {
            command.OwnBody();
            _command = new RemotingCommand();
        }

        var request = new RemotingRequest(responder, command.Language, command.Version, command.Fields, command.Body);
        if (entry.OnPool)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static work => work.Connection.Handle(work.Entry, work.Request), (Connection: this, Entry: entry, Request: request), preferLocal: false);
        }
        else
        {
            Handle(entry, request);
        }
    }

    private void Handle(RequestTable.Entry entry, in RemotingRequest request)
    {
        ValueTask handling;
        try
        {
            handling = entry.Handle(request);
        }
        catch (Exception e)
        {
            Fail(request.Responder, e);
            return;
        }

        if (handling.IsCompletedSuccessfully)
        {
            // Gives a pooled source back.
            handling.GetAwaiter().GetResult();
        }
        else
        {
            _ = AwaitAsync(handling, request.Responder);
        }
    }

    private async Task AwaitAsync(ValueTask handling, Responder responder)
    {
        try
        {
            await handling.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Fail(responder, e);
        }
    }

    private void Fail(Responder responder, Exception e)
    {
        switch (e)
        {
            case RemotingException refused:
                responder.Reply(refused.Code, refused.Message);
                break;
            case HeaderFieldException or BodyFormatException:
                Log.RequestMalformed(_logger, responder.RequestCode, RemoteEndPoint, e.Message);
                responder.Reply(ResponseCode.SystemError, e.Message);
                break;
            default:
                Log.RequestFailed(_logger, e, responder.RequestCode, RemoteEndPoint);
                responder.Reply(ResponseCode.SystemError, $"{e.GetType().Name}: {e.Message}");
                break;
        }
    }

    private async Task AllAnsweredAsync()
    {
        if (Volatile.Read(ref _inFlight) > 0)
        {
            await _allAnswered.Task.WaitAsync(ConnectionClosed).ConfigureAwait(false);
        }

        await FlushedAsync().ConfigureAwait(false);
    }

    private async Task CloseAsync()
    {
        Volatile.Write(ref _closed, 1);
        Task flush;
        lock (_writing)
        {
            _outputClosed = true;
            flush = _flush;
        }

        foreach (int opaque in _outbound.Keys)
        {
            if (_outbound.TryRemove(opaque, out OutboundCall? call))
            {
                call.TrySetException(new ConnectionClosedException($"connection to {RemoteEndPoint} closed before the answer"));
            }
        }

        await flush.ConfigureAwait(false);
        await _output.CompleteAsync().ConfigureAwait(false);
        await _input.CompleteAsync().ConfigureAwait(false);
    }

    private sealed class OutboundCall()
        : TaskCompletionSource<RemotingCommand>(TaskCreationOptions.RunContinuationsAsynchronously);
}
