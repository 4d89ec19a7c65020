using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Remoting.Connections;

/// <summary>
/// The sending side of a connection: writes frames whole and in order, from any thread, and flushes them. While a batch of requests is being
/// handled its answers gather and leave with one flush. At most one flush is under way; what is written meanwhile leaves
/// with the next one, which follows by itself.
/// </summary>
internal sealed class FrameOutput : IValueTaskSource
{
    /// <summary>Answers that may wait for a peer, in bytes, before no more of its requests are read.</summary>
    internal const int MaxAnswerBytesAhead = 256 * 1024;

    /// <summary>Bytes that may wait for a peer before further requests to it wait with them.</summary>
    internal const int MaxRequestBytesAhead = 1024 * 1024;

    // Answers given by other threads do not wait for the end of a batch beyond so many bytes.
    private const int MaxBatchedBytes = 64 * 1024;

    // Answers without bodies gather outside the lock up to so many bytes.
    private const int MaxGatheredBytes = 16 * 1024;

    // Headers are built outside the lock, and built and copied by one thread without a break: one buffer per thread will do.
    [ThreadStatic]
    private static HeaderBuffer? _threadHeader;

    // Lent to the connection whose requests the thread is just reading.
    [ThreadStatic]
    private static HeaderBuffer? _threadBatch;

    private readonly PipeWriter _writer;
    private readonly long _maxUnsentBytes;
    private readonly UnsentBudget _budget;
    private readonly TimeProvider _time;
    private readonly Action<string, Exception?> _broken;
    private readonly Action _flushEnded;
    private readonly Lock _writing = new();

    // Guarded by _writing.
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;
    private bool _flushing;
    private bool _batching;
    private bool _closed;
    private bool _inFrame;
    private long _waitingBytes;
    private long _waitingAnswerBytes;
    private long _flushingBytes;
    private long _flushingAnswerBytes;
    private long _budgetedBytes;
    private TaskCompletionSource? _flushed;
    private TaskCompletionSource? _flushedNext;
    private bool _readerPaused;

    // Used by the thread that reads requests, while it handles what it has read.
    private HeaderBuffer? _batch;
    private int _batchThread;
    private volatile bool _gathering;

    // Woken on the thread pool already, so the read loop may go on right there.
    private ManualResetValueTaskSourceCore<bool> _pause;

    /// <param name="broken">Called, without the lock, when no further frame can be sent: with the reason and its cause.</param>
    public FrameOutput(
        PipeWriter writer, long maxUnsentBytes, UnsentBudget budget, TimeProvider time, Action<string, Exception?> broken)
    {
        _writer = writer;
        _maxUnsentBytes = maxUnsentBytes;
        _budget = budget;
        _time = time;
        _broken = broken;
        _flushEnded = FlushEnded;
        LastFlushTimestamp = time.GetTimestamp();
    }

    private enum Ending
    {
        None,
        PeerDoesNotRead,
        BodyBroken,
    }

    /// <summary>This thread's buffer to build a header in, right before it is written here.</summary>
    public static HeaderBuffer Header => _threadHeader ??= new HeaderBuffer();

    /// <summary>
    /// Where the thread that reads requests puts the answers that it gives itself, one behind the other, each followed by
    /// <see cref="Gathered"/>; null for every other thread.
    /// </summary>
    public HeaderBuffer? Batch => _batchThread == Environment.CurrentManagedThreadId ? _batch : null;

    /// <summary>When the transport last took what was written.</summary>
    public long LastFlushTimestamp { get; private set; }

    /// <summary>Nothing that is written from now on leaves.</summary>
    public bool IsClosed => Volatile.Read(ref _closed);

    /// <summary>Whether the peer leaves so many answers unread that its requests should be, too.</summary>
    public bool IsCongested => Volatile.Read(ref _waitingAnswerBytes) + Volatile.Read(ref _flushingAnswerBytes) > MaxAnswerBytesAhead;

    /// <summary>An answer stands in <see cref="Batch"/>, whole.</summary>
    public void Gathered()
    {
        _gathering = true;
        if (_batch!.Length >= MaxGatheredBytes)
        {
            HandOver();
        }
    }

    /// <summary>Writes an answer; false when the connection is closed or this ends it. Never throws.</summary>
    public bool WriteAnswer<TBody>(HeaderBuffer header, in TBody body, int bodyLength)
        where TBody : IBodyWriter
    {
        HandOver();
        return Write(header, in body, bodyLength, gathered: false);
    }

    private bool Write<TBody>(HeaderBuffer header, in TBody body, int bodyLength, bool gathered)
        where TBody : IBodyWriter
    {
        var ending = Ending.None;
        Exception? cause = null;
        bool flushing = false;
        long unsentBytes = 0;
        lock (_writing)
        {
            if (gathered)
            {
                // Only by the thread that reads: the others would take back what it says just now.
                _gathering = false;
            }

            if (_closed)
            {
                return false;
            }

            _inFrame = true;
            try
            {
                _writer.Write(header.Written);
                if (bodyLength > 0)
                {
                    long before = _writer.UnflushedBytes;
                    body.WriteTo(_writer);
                    if (_writer.UnflushedBytes - before != bodyLength)
                    {
                        ending = Ending.BodyBroken;
                    }
                }
            }
            catch (Exception e)
            {
                cause = e;
                ending = Ending.BodyBroken;
            }

            if (ending != Ending.None)
            {
                _closed = true;
            }
            else
            {
                _inFrame = false;
                int bytes = header.Length + bodyLength;
                _waitingAnswerBytes += bytes;
                ending = Written(bytes, out flushing);
                unsentBytes = _waitingBytes + _flushingBytes;
            }
        }

        return Written(ending, cause, flushing, unsentBytes);
    }

    /// <summary>Writes a request to the peer, or says what to wait for first.</summary>
    /// <param name="wait">When too much waits already, nothing is written, and this is the end of the flush to wait for.</param>
    /// <returns>False when the connection is closed, or when <paramref name="wait"/> is set.</returns>
    public bool TryWriteRequest(HeaderBuffer header, ReadOnlySpan<byte> body, bool mayWait, out Task? wait)
    {
        wait = null;
        HandOver();
        Ending ending;
        bool flushing;
        long unsentBytes;
        lock (_writing)
        {
            if (_closed)
            {
                return false;
            }

            if (mayWait && _flushing && _waitingBytes + _flushingBytes > MaxRequestBytesAhead)
            {
                wait = (_flushed ??= NewCompletion()).Task;
                return false;
            }

            _inFrame = true;
            try
            {
                _writer.Write(header.Written);
                _writer.Write(body);
            }
            catch
            {
                _closed = true;
                throw;
            }

            _inFrame = false;
            ending = Written(header.Length + body.Length, out flushing);
            unsentBytes = _waitingBytes + _flushingBytes;
        }

        return Written(ending, null, flushing, unsentBytes);
    }

    /// <summary>Lets answers gather until <see cref="EndBatch"/>.</summary>
    public void BeginBatch()
    {
        lock (_writing)
        {
            _batching = true;
        }

        _batch = _threadBatch ?? new HeaderBuffer();
        _threadBatch = null;
        _batchThread = Environment.CurrentManagedThreadId;
    }

    public void EndBatch()
    {
        HandOver();
        _batchThread = 0;
        _threadBatch = _batch;
        _batch = null;
        bool flushing;
        lock (_writing)
        {
            _batching = false;
            flushing = !_flushing && Flush();
        }

        if (flushing)
        {
            _flush.UnsafeOnCompleted(_flushEnded);
        }
    }

    /// <summary>Completes when the peer has taken enough answers for its requests to be read again. For the read loop alone.</summary>
    public ValueTask UncongestedAsync()
    {
        lock (_writing)
        {
            if (!_flushing || !IsCongested || _closed)
            {
                return ValueTask.CompletedTask;
            }

            _readerPaused = true;
            _pause.Reset();
            return new ValueTask(this, _pause.Version);
        }
    }

    /// <summary>Completes when all that has been written so far was handed to the transport, or the connection is closed.</summary>
    public Task FlushedAsync()
    {
        lock (_writing)
        {
            if (_closed)
            {
                return Task.CompletedTask;
            }

            if (_waitingBytes > 0 || _gathering)
            {
                return (_flushedNext ??= NewCompletion()).Task;
            }

            return _flushing ? (_flushed ??= NewCompletion()).Task : Task.CompletedTask;
        }
    }

    /// <summary>Takes no more frames; those written whole are still sent. Never throws.</summary>
    public async ValueTask CompleteAsync()
    {
        Exception? error;
        (TaskCompletionSource?, TaskCompletionSource?, bool) waiters;
        lock (_writing)
        {
            _closed = true;
            error = _inFrame ? new InvalidOperationException("a frame was not written to its end") : null;
            waiters = TakeWaiters(all: true);
        }

        Wake(waiters);
        try
        {
            await _writer.CompleteAsync(error).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _broken("what was written last may not have been sent", e);
        }
    }

    void IValueTaskSource.GetResult(short token) => _pause.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _pause.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _pause.OnCompleted(continuation, state, token, flags);

    // What the reading thread has gathered goes before what it writes next.
    private void HandOver()
    {
        if (Batch is { Length: > 0 } batch)
        {
            Write(batch, default(MemoryBody), 0, gathered: true);
            batch.Clear();
        }
    }

    private static TaskCompletionSource NewCompletion() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void Wake(in (TaskCompletionSource? First, TaskCompletionSource? Second, bool) waiters)
    {
        waiters.First?.TrySetResult();
        waiters.Second?.TrySetResult();
    }

    // With the lock held, after a whole frame.
    private Ending Written(int bytes, out bool flushing)
    {
        _waitingBytes += bytes;
        flushing = false;
        if (_flushing)
        {
            if (!CountAgainstBudget(bytes) || _waitingBytes + _flushingBytes > _maxUnsentBytes)
            {
                _closed = true;
                return Ending.PeerDoesNotRead;
            }
        }
        else if (!_batching || _waitingBytes > MaxBatchedBytes)
        {
            flushing = Flush();
        }

        return Ending.None;
    }

    // With the lock held: only what the transport did not take at once counts, until it has.
    private bool CountAgainstBudget(long bytes)
    {
        _budgetedBytes += bytes;
        return _budget.TryAdd(bytes);
    }

    // Without the lock.
    private bool Written(Ending ending, Exception? cause, bool flushing, long unsentBytes)
    {
        if (flushing)
        {
            _flush.UnsafeOnCompleted(_flushEnded);
        }

        switch (ending)
        {
            case Ending.PeerDoesNotRead:
                _broken($"{unsentBytes} bytes wait for it, and it does not read", null);
                return false;
            case Ending.BodyBroken:
                _broken("the body of an answer did not come as announced", cause);
                return false;
            default:
                return true;
        }
    }

    // With the lock held and no flush under way. True: one is now, and the caller, without the lock, is to await its end.
    private bool Flush()
    {
        while (_waitingBytes > 0 && !_closed)
        {
            _flushingBytes = _waitingBytes;
            Volatile.Write(ref _flushingAnswerBytes, _waitingAnswerBytes);
            _waitingBytes = 0;
            Volatile.Write(ref _waitingAnswerBytes, 0);
            _flushed = _flushedNext;
            _flushedNext = null;
            try
            {
#pragma warning disable CA2012 // Awaited once, by FlushEnded: a task for it would be garbage for each flush.
                _flush = _writer.FlushAsync().ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
                if (!_flush.IsCompleted)
                {
                    _flushing = true;
                    CountAgainstBudget(_flushingBytes);
                    return true;
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // The transport has ended, with an error; the read loop learns of it, too, and says so.
                _closed = true;
                continue;
            }

            EndFlush();
            Wake(TakeWaiters(all: false));
        }

        return false;
    }

    private void EndFlush()
    {
        try
        {
            FlushResult result = _flush.GetResult();
            _closed |= result.IsCompleted || result.IsCanceled;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _closed = true;
        }

        _flush = default;
        _flushing = false;
        _flushingBytes = 0;
        if (_budgetedBytes > 0)
        {
            _budget.Subtract(_budgetedBytes);
            _budgetedBytes = 0;
        }

        Volatile.Write(ref _flushingAnswerBytes, 0);
        LastFlushTimestamp = _time.GetTimestamp();
    }

    private void FlushEnded()
    {
        (TaskCompletionSource?, TaskCompletionSource?, bool Reader) waiters;
        bool flushing;
        lock (_writing)
        {
            EndFlush();
            waiters = TakeWaiters(all: _closed);
            flushing = Flush();
            if (_readerPaused && (!_flushing || !IsCongested || _closed))
            {
                _readerPaused = false;
                waiters.Reader = true;
            }
        }

        if (flushing)
        {
            _flush.UnsafeOnCompleted(_flushEnded);
        }

        Wake(waiters);
        if (waiters.Reader)
        {
            _pause.SetResult(true);
        }
    }

    // With the lock held. Completions run their continuations elsewhere, so they may be set with the lock held, too.
    private (TaskCompletionSource? First, TaskCompletionSource? Second, bool Reader) TakeWaiters(bool all)
    {
        TaskCompletionSource? first = _flushed;
        _flushed = null;
        TaskCompletionSource? second = null;
        if (all)
        {
            second = _flushedNext;
            _flushedNext = null;
        }

        return (first, second, false);
    }
}
