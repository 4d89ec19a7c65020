using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Google.Protobuf;
using GrayMQ.Grpc.Framing;
using GrayMQ.Grpc.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrayMQ.Grpc.Calls;

/// <summary>
/// One call: an HTTP/2 stream. Messages are read one after the other as the handler asks for them, and each one written waits until
/// the peer has room for it, so neither side's pace costs the other memory. Reading and writing may go on side by side; two
/// writes may not.
/// </summary>
public sealed class GrpcCall : IDisposable
{
    // Smaller requests fit into what HTTP/2's windows let in anyway.
    private const int LargeBytes = 64 * 1024;

    private readonly GrpcServerOptions _options;
    private readonly ByteBudget _incoming;
    private readonly TimeProvider _time;
    private readonly CancellationToken _stopping;
    private readonly PipeReader _reader;
    private readonly PipeWriter _writer;
    private readonly IFeatureCollection _features;
    private readonly IHttpRequestFeature _request;
    private readonly long _started;
    private CancellationTokenSource? _cancel;
    private CancellationTokenSource? _deadline;
    private CancellationTokenSource? _reading;
    private CancellationToken _readUntil;
    private long _reserved;
    private bool _takesGzip;
    private bool _givesGzip;

    internal GrpcCall(
        IFeatureCollection features, GrpcServerOptions options, ByteBudget incoming, TimeProvider time, CancellationToken stopping)
    {
        _features = features;
        _options = options;
        _incoming = incoming;
        _time = time;
        _stopping = stopping;
        _request = features.Get<IHttpRequestFeature>()!;
        _reader = features.Get<IRequestBodyPipeFeature>()!.Reader;
        _writer = features.Get<IHttpResponseBodyFeature>()!.Writer;
        _started = time.GetTimestamp();
    }

    /// <summary>What the client sent before its messages.</summary>
    public IHeaderDictionary Headers => _request.Headers;

    /// <summary><c>/package.Service/Method</c>.</summary>
    public string Path => _request.Path;

    /// <summary>The client's address, as far as it is known.</summary>
    public IPEndPoint? Peer => _features.Get<IHttpConnectionFeature>() is { RemoteIpAddress: { } address } connection
        ? new IPEndPoint(address, connection.RemotePort)
        : null;

    /// <summary>How long the client will wait, counted from the call's start; null when it did not say.</summary>
    public TimeSpan? Timeout { get; private set; }

    /// <summary>What is left of <see cref="Timeout"/>; null when the client set none.</summary>
    public TimeSpan? Remaining => Timeout is { } timeout
        ? TimeSpan.FromTicks(Math.Max(0, (timeout - _time.GetElapsedTime(_started)).Ticks))
        : null;

    /// <summary>Whether the client waits no more. A timer may be early by less than the clock tells apart.</summary>
    internal bool IsLate => Remaining == TimeSpan.Zero || _deadline?.IsCancellationRequested == true;

    /// <summary>Whether the client has gone or taken the call back.</summary>
    public bool IsAborted => Aborted.IsCancellationRequested;

    /// <summary>Cancelled when the client has gone or taken the call back.</summary>
    public CancellationToken Aborted => _features.Get<IHttpRequestLifetimeFeature>()!.RequestAborted;

    /// <summary>Cancelled when the server stops: calls that would go on for long are to end.</summary>
    public CancellationToken Stopping => _stopping;

    /// <summary>Cancelled when nobody waits for the call any more: aborted, or past its deadline.</summary>
    public CancellationToken Cancelled => (_cancel ??= MakeCancellation()).Token;

    /// <summary>
    /// Reads the next message; null at the stream's end. The handler waits for it as long as it takes to begin; once it has, the rest has
    /// to come within the time that a request may take.
    /// </summary>
    /// <exception cref="GrpcException">What comes is no message, too large a one, or too slow.</exception>
    /// <exception cref="OperationCanceledException">See <paramref name="cancel"/>; or the deadline has come.</exception>
    public async ValueTask<T?> ReadAsync<T>(MessageParser<T> parser, CancellationToken cancel)
        where T : class, IMessage<T>
    {
        // The message before has been dealt with.
        Release();
        CancellationToken end = Timeout is null ? cancel : OrDeadline(cancel);
        long? begun = null;
        while (true)
        {
            ValueTask<ReadResult> reading = _reader.ReadAsync(end);
            ReadResult result = begun is not { } since || reading.IsCompleted
                ? await reading.ConfigureAwait(false)
                : await ReadSlowlyAsync(reading, since).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (TryTake(parser, ref buffer, out T? message))
            {
                _reader.AdvanceTo(buffer.Start);
                return message;
            }

            _reader.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
            {
                return buffer.IsEmpty ? null : throw Truncated();
            }

            if (begun is { } start && _time.GetElapsedTime(start) >= _options.MaxRequestTime)
            {
                throw TooSlow();
            }

            if (!buffer.IsEmpty)
            {
                begun ??= _time.GetTimestamp();
            }
        }
    }

    /// <summary>Whether messages were written.</summary>
    internal bool HasWritten { get; private set; }

    /// <summary>Writes a message and waits until the peer has room for more.</summary>
    /// <exception cref="OperationCanceledException">The call has ended, or the peer has left what was sent unread for too long.</exception>
    public ValueTask WriteAsync<T>(T message)
        where T : class, IMessage<T>
    {
        Write(message);
        return FlushAsync();
    }

    /// <summary>Sends what was written.</summary>
    /// <inheritdoc cref="WriteAsync"/>
    public ValueTask FlushAsync()
    {
        ValueTask<FlushResult> flush = _writer.FlushAsync(CancellationToken.None);
        if (flush.IsCompletedSuccessfully)
        {
            Check(flush.Result);
            return ValueTask.CompletedTask;
        }

        return FlushSlowlyAsync(flush);
    }

    /// <summary>Writes a message; sent with the next one that waits, or when the call ends.</summary>
    public void Write<T>(T message)
        where T : class, IMessage<T>
    {
        HasWritten = true;
        int length = message.CalculateSize();
        if (_givesGzip)
        {
            var plain = new ArrayBufferWriter<byte>(Math.Max(1, length));
            message.WriteTo(plain);
            WritePacked(plain.WrittenMemory);
            return;
        }

        WritePrefix(new MessagePrefix(IsCompressed: false, length));
        message.WriteTo(_writer);
    }

    /// <summary>Writes a message that is encoded already, in two parts; see <see cref="Write{T}"/>.</summary>
    public void Write(ReadOnlySpan<byte> head, ReadOnlySpan<byte> rest)
    {
        HasWritten = true;
        if (_givesGzip)
        {
            WritePacked((byte[])[.. head, .. rest]);
            return;
        }

        WritePrefix(new MessagePrefix(IsCompressed: false, head.Length + rest.Length));
        _writer.Write(head);
        _writer.Write(rest);
    }

    /// <summary>Cuts the stream off: the peer is told nothing but that.</summary>
    public void Reset()
    {
        const int Cancel = 8; // HTTP/2: CANCEL
        _features.Get<IHttpResetFeature>()?.Reset(Cancel);
    }

    /// <summary>Checks what the client says of the call before its messages.</summary>
    internal void Begin()
    {
        if (Headers.TryGetValue("grpc-timeout", out Microsoft.Extensions.Primitives.StringValues timeout))
        {
            if (!CallTimeout.TryParse(timeout.ToString(), out TimeSpan parsed))
            {
                throw new GrpcException(GrpcStatusCode.Internal, "grpc-timeout is not 1 to 8 digits and a unit", "MALFORMED_HEADER");
            }

            Timeout = parsed;
        }

        if (Headers.TryGetValue("grpc-encoding", out Microsoft.Extensions.Primitives.StringValues encoding)
            && encoding.ToString() is not ("identity" or ""))
        {
            if (encoding.ToString() != GzipMessages.Name)
            {
                throw new GrpcException(
                    GrpcStatusCode.Unimplemented, "the messages' encoding is none of those taken: identity, gzip", "UNKNOWN_ENCODING");
            }

            _takesGzip = true;

            // Whoever packs what it sends is answered in kind.
            _givesGzip = Headers["grpc-accept-encoding"].ToString().Contains(GzipMessages.Name, StringComparison.Ordinal);
        }

        IHeaderDictionary headers = _features.Get<IHttpResponseFeature>()!.Headers;
        headers.ContentType = "application/grpc";
        if (_givesGzip)
        {
            headers["grpc-encoding"] = GzipMessages.Name;
        }
    }

    /// <summary>Reads the only message of the client's side, within the time that a request may take.</summary>
    internal async ValueTask<T> ReadOnlyAsync<T>(MessageParser<T> parser)
        where T : class, IMessage<T>
    {
        T? message = null;
        while (true)
        {
            ValueTask<ReadResult> reading = _reader.ReadAsync(CancellationToken.None);
            ReadResult result = reading.IsCompleted
                ? await reading.ConfigureAwait(false)
                : await ReadSlowlyAsync(reading, _started).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (result.IsCanceled)
            {
                _reader.AdvanceTo(buffer.Start);
                throw TooSlow();
            }

            if (message is null)
            {
                TryTake(parser, ref buffer, out message);
            }

            if (message is not null && !buffer.IsEmpty)
            {
                throw new GrpcException(GrpcStatusCode.Internal, "the call takes one message, and more came", "MALFORMED_FRAME");
            }

            _reader.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
            {
                return message ?? throw (buffer.IsEmpty
                    ? new GrpcException(GrpcStatusCode.Internal, "the request has no message", "MALFORMED_FRAME")
                    : Truncated());
            }
        }
    }

    internal async ValueTask<T> WithinDeadlineAsync<T>(ValueTask<T> handling)
    {
        if (handling.IsCompleted || Remaining is not { } remaining)
        {
            return await handling.ConfigureAwait(false);
        }

        Task<T> task = handling.AsTask();
        try
        {
            return await task.WaitAsync(remaining, _time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!task.IsCompleted || task.IsCanceled || IsLate)
        {
            throw new GrpcException(GrpcStatusCode.DeadlineExceeded, "the deadline came before the answer");
        }
    }

    public void Dispose()
    {
        Release();
        _cancel?.Dispose();
        _deadline?.Dispose();
        _reading?.Dispose();
    }

    // Made once for all messages of a stream, which are read with one and the same token.
    private CancellationToken OrDeadline(CancellationToken cancel)
    {
        if (_reading is null || _readUntil != cancel)
        {
            _reading?.Dispose();
            _reading = CancellationTokenSource.CreateLinkedTokenSource(cancel, Cancelled);
            _readUntil = cancel;
        }

        return _reading.Token;
    }

    private static GrpcException Truncated() =>
        new(GrpcStatusCode.Internal, "the stream ends within a message", "MALFORMED_FRAME");

    private GrpcException TooSlow() => new(
        GrpcStatusCode.DeadlineExceeded,
        $"the request did not come within {_options.MaxRequestTime.TotalSeconds:F0} s",
        "REQUEST_TOO_SLOW");

    // Takes the message at the buffer's start and moves the buffer behind it; false when not all of it is there.
    private bool TryTake<T>(MessageParser<T> parser, ref ReadOnlySequence<byte> buffer, out T? message)
        where T : class, IMessage<T>
    {
        message = null;
        if (!MessageFrame.TryRead(ref buffer, _options.MaxMessageBytes, _takesGzip, out ReadOnlySequence<byte> body, out int announced))
        {
            // What has come, not what was announced: that costs the peer nothing.
            Reserve(Math.Min(announced, buffer.Length));
            return false;
        }

        // Until the call has done with it, and as it is once unpacked.
        Reserve(body.Length);

        try
        {
            message = parser.ParseFrom(body);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new GrpcException(GrpcStatusCode.Internal, $"a message cannot be read: {e.Message}", "MALFORMED_MESSAGE");
        }

        return true;
    }

    private void Reserve(long length)
    {
        if (length <= LargeBytes || length <= _reserved)
        {
            return;
        }

        if (!_incoming.TryTake(length - _reserved))
        {
            throw new GrpcException(
                GrpcStatusCode.ResourceExhausted, "too many large requests are coming in just now: try again", "SERVER_BUSY");
        }

        _reserved = length;
    }

    private void Release()
    {
        if (_reserved > 0)
        {
            _incoming.Give(_reserved);
            _reserved = 0;
        }
    }

    private async ValueTask<ReadResult> ReadSlowlyAsync(ValueTask<ReadResult> reading, long since)
    {
        TimeSpan left = _options.MaxRequestTime - _time.GetElapsedTime(since);
        ITimer timer = _time.CreateTimer(
            static reader => ((PipeReader)reader!).CancelPendingRead(),
            _reader,
            left > TimeSpan.Zero ? left : TimeSpan.Zero,
            System.Threading.Timeout.InfiniteTimeSpan);
        await using (timer.ConfigureAwait(false))
        {
            return await reading.ConfigureAwait(false);
        }
    }

    private async ValueTask FlushSlowlyAsync(ValueTask<FlushResult> flush)
    {
        Task<FlushResult> flushing = flush.AsTask();
        try
        {
            Check(await flushing.WaitAsync(_options.MaxWriteStall, _time, CancellationToken.None).ConfigureAwait(false));
        }
        catch (TimeoutException)
        {
            Reset();
            throw new OperationCanceledException("the peer leaves what it was sent unread");
        }
    }

    private static void Check(FlushResult result)
    {
        if (result.IsCompleted || result.IsCanceled)
        {
            throw new OperationCanceledException("the peer has ended the call");
        }
    }

    private void WritePacked(ReadOnlyMemory<byte> plain)
    {
        ReadOnlyMemory<byte> packed = GzipMessages.Pack(plain);
        WritePrefix(new MessagePrefix(IsCompressed: true, packed.Length));
        _writer.Write(packed.Span);
    }

    private void WritePrefix(MessagePrefix prefix)
    {
        prefix.Write(_writer.GetSpan(MessagePrefix.Bytes));
        _writer.Advance(MessagePrefix.Bytes);
    }

    private CancellationTokenSource MakeCancellation()
    {
        if (Remaining is not { } remaining)
        {
            return CancellationTokenSource.CreateLinkedTokenSource(Aborted);
        }

        _deadline = new CancellationTokenSource(remaining, _time);
        return CancellationTokenSource.CreateLinkedTokenSource(Aborted, _deadline.Token);
    }
}
