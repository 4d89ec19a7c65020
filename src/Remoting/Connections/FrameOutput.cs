using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Remoting.Connections;

/// <summary>
/// The sending side of a connection: writes frames whole and in order, from any thread, and flushes them. While a batch of requests is being
/// handled its answers gather and leave with one flush. At most one flush is under way; what is written meanwhile leaves
/// with the next one, which follows by itself.
/// </summary>
internal sealed class FrameOutput
{
    /// <summary>Answers that may wait for a peer, in bytes, before no more of its requests are read.</summary>
    internal const int MaxAnswerBytesAhead = 256 * 1024;

    /// <summary>Bytes that may wait for a peer before further requests to it wait with them.</summary>
    internal const int MaxRequestBytesAhead = 1024 * 1024;

    // Answers given by other threads do not wait for the end of a batch beyond so many bytes.
    private const int MaxBatchedBytes = 64 * 1024;

    // Headers are built outside the lock, and built and copied by one thread without a break: one buffer per thread will do.
    [ThreadStatic]
    private static HeaderBuffer? _threadHeader;

    private readonly PipeWriter _writer;
    private readonly TimeProvider _time;
    private readonly Action<string, Exception?> _broken;
    private readonly Action _flushEnded;
    private readonly Lock _writing = new();
    private readonly AnswerBatch _batch = new();

    // Guarded by _writing.
    private readonly UnsentBytes _unsent;
    private readonly FlushWaiters _waiters = new();
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;
    private bool _flushing;
    private bool _closed;
    private bool _inFrame;

    // Set by the thread that reads requests, without the lock: who does not see it yet sends its answer by itself. Cleared with it.
    private volatile bool _batching;

    // Set and cleared by the thread that reads requests, while it handles what it has read: for who asks when all will have left.
    private volatile bool _gathering;

    /// <param name="broken">Called, without the lock, when no further frame can be sent: with the reason and its cause.</param>
    public FrameOutput(
        PipeWriter writer, long maxUnsentBytes, UnsentBudget budget, TimeProvider time, Action<string, Exception?> broken)
    {
        _writer = writer;
        _unsent = new UnsentBytes(maxUnsentBytes, budget);
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

    /// <summary>
    /// Where the thread that reads requests puts the answers that it gives itself, one behind the other, each followed by
    /// <see cref="Gathered"/>; null for every other thread.
    /// </summary>
    public HeaderBuffer? Batch => _batch.Buffer;

    /// <summary>When the transport last took what was written.</summary>
    public long LastFlushTimestamp { get; private set; }

    /// <summary>Nothing that is written from now on leaves.</summary>
    public bool IsClosed => Volatile.Read(ref _closed);

    /// <summary>Whether the peer leaves so many answers unread that its requests should be, too.</summary>
    public bool IsCongested => _unsent.Answers > MaxAnswerBytesAhead;

    /// <inheritdoc cref="AnswerBatch.TryDoBefore"/>
    public bool TryDoBefore(IBatchWork work) => _batch.TryDoBefore(work);

    /// <summary>An answer stands in <see cref="Batch"/>, whole.</summary>
    public void Gathered()
    {
        _gathering = true;
        if (_batch.IsFull)
        {
            HandOver();
        }
    }

    /// <summary>This thread's buffer, empty, to build the header of the frame in that it writes next. What it has gathered goes before that.</summary>
    public HeaderBuffer BeginFrame()
    {
        // First, because what is done for it may write other frames.
        HandOver();
        HeaderBuffer header = _threadHeader ??= new HeaderBuffer();
        header.Clear();
        return header;
    }

    /// <summary>Writes an answer; false when the connection is closed or this ends it. Never throws.</summary>
    public bool WriteAnswer<TBody>(HeaderBuffer header, in TBody body, int bodyLength)
        where TBody : IBodyWriter => Write(header, in body, bodyLength, gathered: false, last: false);

    // Gathered: by the thread that reads requests, what stands in its batch; the last of it ends the batch.
    private bool Write<TBody>(HeaderBuffer header, in TBody body, int bodyLength, bool gathered, bool last)
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

            if (last)
            {
                _batching = false;
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
                _unsent.AddAnswer(bytes);
                ending = Written(bytes, out flushing);
                unsentBytes = _unsent.Total;
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
        Ending ending;
        bool flushing;
        long unsentBytes;
        lock (_writing)
        {
            if (_closed)
            {
                return false;
            }

            if (mayWait && _flushing && _unsent.Total > MaxRequestBytesAhead)
            {
                wait = _waiters.Flushed;
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
            int bytes = header.Length + body.Length;
            _unsent.AddRequest(bytes);
            ending = Written(bytes, out flushing);
            unsentBytes = _unsent.Total;
        }

        return Written(ending, null, flushing, unsentBytes);
    }

    /// <summary>Lets answers gather until <see cref="EndBatch"/>.</summary>
    public void BeginBatch()
    {
        _batching = true;
        _batch.Begin();
    }

    /// <summary>Completes when the batch can be ended: what is to be done before its answers leave is done, or has failed. Never throws.</summary>
    public ValueTask BatchDoneAsync()
    {
        if (_batch.HasWork)
        {
            // Answers of other threads do not stand on it, and leave by themselves from now on.
            _batching = false;
        }

        return _batch.DoWorkWithOthersAsync();
    }

    /// <summary>Writes what has gathered and is not written yet. By the thread that goes on.</summary>
    public void EndBatch()
    {
        if (_batch.Resume() is { } failure)
        {
            WorkFailed(failure);
        }

        if (!HandOver(last: true))
        {
            // Others may have left theirs to this.
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

        _batch.End();
    }

    /// <summary>Completes when the peer has taken enough answers for its requests to be read again. For the read loop alone.</summary>
    public ValueTask UncongestedAsync()
    {
        if (!IsCongested)
        {
            return ValueTask.CompletedTask;
        }

        lock (_writing)
        {
            if (!_flushing || !IsCongested || _closed)
            {
                return ValueTask.CompletedTask;
            }

            return _waiters.PauseReader();
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

            if (_unsent.Waiting > 0 || _gathering)
            {
                return _waiters.FlushedNext;
            }

            return _flushing ? _waiters.Flushed : Task.CompletedTask;
        }
    }

    /// <summary>Takes no more frames; those written whole are still sent. Never throws.</summary>
    public async ValueTask CompleteAsync()
    {
        Exception? error;
        FlushWaiters.Woken woken;
        lock (_writing)
        {
            _closed = true;
            error = _inFrame ? new InvalidOperationException("a frame was not written to its end") : null;
            woken = _waiters.Take(all: true);
        }

        woken.Wake();
        try
        {
            await _writer.CompleteAsync(error).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _broken("what was written last may not have been sent", e);
        }
    }

    // False where nothing has gathered.
    private bool HandOver(bool last = false)
    {
        if (Batch is not { } batch)
        {
            return false;
        }

        DoWork();
        if (batch.Length == 0)
        {
            return false;
        }

        Write(batch, default(MemoryBody), 0, gathered: true, last);
        batch.Clear();
        return true;
    }

    // What fails here was answered as done already: the peer must not hear it, and nothing that comes behind it.
    private void DoWork()
    {
        try
        {
            _batch.DoWork();
        }
        catch (Exception e)
        {
            WorkFailed(e);
        }
    }

    private void WorkFailed(Exception e)
    {
        lock (_writing)
        {
            _closed = true;
        }

        _broken("what was answered could not be kept", e);
    }

    // With the lock held, after a whole frame.
    private Ending Written(int bytes, out bool flushing)
    {
        flushing = false;
        if (_flushing)
        {
            if (!_unsent.TryCountAdded(bytes))
            {
                _closed = true;
                return Ending.PeerDoesNotRead;
            }
        }
        else if (!_batching || _unsent.Waiting > MaxBatchedBytes)
        {
            flushing = Flush();
        }

        return Ending.None;
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
        while (_unsent.Waiting > 0 && !_closed)
        {
            _unsent.BeginFlush();
            _waiters.Begin();
            try
            {
#pragma warning disable CA2012 // Awaited once, by FlushEnded: a task for it would be garbage for each flush.
                _flush = _writer.FlushAsync().ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
                if (!_flush.IsCompleted)
                {
                    _flushing = true;
                    _unsent.CountFlushing();
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
            _waiters.Take(all: false).Wake();
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
        _unsent.EndFlush();
        LastFlushTimestamp = _time.GetTimestamp();
    }

    private void FlushEnded()
    {
        FlushWaiters.Woken woken;
        bool wakeReader;
        bool flushing;
        lock (_writing)
        {
            EndFlush();
            woken = _waiters.Take(all: _closed);
            flushing = Flush();
            wakeReader = _waiters.IsReaderPaused && (!_flushing || !IsCongested || _closed);
            if (wakeReader)
            {
                _waiters.TakeReader();
            }
        }

        if (flushing)
        {
            _flush.UnsafeOnCompleted(_flushEnded);
        }

        woken.Wake();
        if (wakeReader)
        {
            _waiters.WakeReader();
        }
    }
}
