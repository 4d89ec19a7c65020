using System.Buffers;
using System.IO.Pipelines;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Remoting.Connections;

/// <summary>
/// The sending side of a connection: writes frames whole and in order, from any thread, and flushes them. While a batch of requests is being
/// handled its answers gather and leave with one flush (<see cref="OutputFlushes"/>).
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
    private readonly Action<string, Exception?> _broken;
    private readonly Lock _writing = new();
    private readonly AnswerBatch _batch = new();

    // Guarded by _writing.
    private readonly UnsentBytes _unsent;
    private readonly OutputFlushes _flushes;
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
        _flushes = new OutputFlushes(writer, _unsent, _writing, MaxAnswerBytesAhead, time);
        _broken = broken;
    }

    // Which frames are written: those of other threads, or what the thread that reads has gathered; the last of it ends the batch.
    private enum Part
    {
        Alone,
        Gathered,
        LastGathered,
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

    /// <inheritdoc cref="OutputFlushes.LastTimestamp"/>
    public long LastFlushTimestamp => _flushes.LastTimestamp;

    /// <inheritdoc cref="OutputFlushes.IsClosed"/>
    public bool IsClosed => _flushes.IsClosed;

    /// <inheritdoc cref="OutputFlushes.IsCongested"/>
    public bool IsCongested => _flushes.IsCongested;

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
        where TBody : IBodyWriter => Write(header, in body, bodyLength, Part.Alone);

    private bool Write<TBody>(HeaderBuffer header, in TBody body, int bodyLength, Part part)
        where TBody : IBodyWriter
    {
        var ending = Ending.None;
        Exception? cause = null;
        bool flushing = false;
        long unsentBytes = 0;
        lock (_writing)
        {
            // Only by the thread that reads: the others would take back what it says just now.
            if (part != Part.Alone)
            {
                _gathering = false;
            }

            if (part == Part.LastGathered)
            {
                _batching = false;
            }

            if (IsClosed)
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
                _flushes.Close();
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
            if (IsClosed)
            {
                return false;
            }

            if (mayWait && _flushes.IsUnderWay && _unsent.Total > MaxRequestBytesAhead)
            {
                wait = _flushes.End;
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
                _flushes.Close();
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

        if (!HandOver(Part.LastGathered))
        {
            // Others may have left theirs to this.
            bool flushing;
            lock (_writing)
            {
                _batching = false;
                flushing = !_flushes.IsUnderWay && _flushes.Begin();
            }

            if (flushing)
            {
                _flushes.Await();
            }
        }

        _batch.End();
    }

    /// <inheritdoc cref="OutputFlushes.UncongestedAsync"/>
    public ValueTask UncongestedAsync() => _flushes.UncongestedAsync();

    /// <summary>Completes when all that has been written so far was handed to the transport, or the connection is closed.</summary>
    public Task FlushedAsync()
    {
        lock (_writing)
        {
            return _flushes.AllAsync(_gathering);
        }
    }

    /// <summary>Takes no more frames; those written whole are still sent. Never throws.</summary>
    public async ValueTask CompleteAsync()
    {
        Exception? error;
        FlushWaiters.Woken woken;
        lock (_writing)
        {
            _flushes.Close();
            error = _inFrame ? new InvalidOperationException("a frame was not written to its end") : null;
            woken = _flushes.TakeWaiters();
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
    private bool HandOver(Part part = Part.Gathered)
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

        Write(batch, default(MemoryBody), 0, part);
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
            _flushes.Close();
        }

        _broken("what was answered could not be kept", e);
    }

    // With the lock held, after a whole frame.
    private Ending Written(int bytes, out bool flushing)
    {
        flushing = false;
        if (_flushes.IsUnderWay)
        {
            if (!_unsent.TryCountAdded(bytes))
            {
                _flushes.Close();
                return Ending.PeerDoesNotRead;
            }
        }
        else if (!_batching || _unsent.Waiting > MaxBatchedBytes)
        {
            flushing = _flushes.Begin();
        }

        return Ending.None;
    }

    // Without the lock.
    private bool Written(Ending ending, Exception? cause, bool flushing, long unsentBytes)
    {
        if (flushing)
        {
            _flushes.Await();
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
}
