using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace GrayMQ.Remoting.Connections;

/// <summary>
/// Hands to the transport what was written to an output: at most one flush is under way, and what is written meanwhile leaves with the next one,
/// which follows by itself. Guarded by the output's lock, where nothing else is said.
/// </summary>
internal sealed class OutputFlushes
{
    private readonly PipeWriter _writer;
    private readonly UnsentBytes _unsent;
    private readonly Lock _lock;
    private readonly int _answersAhead;
    private readonly TimeProvider _time;
    private readonly Action _ended;
    private readonly FlushWaiters _waiters = new();
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;
    private bool _closed;

    /// <param name="answersAhead">Answers that may wait for a peer, in bytes, before no more of its requests are read.</param>
    public OutputFlushes(PipeWriter writer, UnsentBytes unsent, Lock outputLock, int answersAhead, TimeProvider time)
    {
        _writer = writer;
        _unsent = unsent;
        _lock = outputLock;
        _answersAhead = answersAhead;
        _time = time;
        _ended = Ended;
        LastTimestamp = time.GetTimestamp();
    }

    /// <summary>When the transport last took what was written. From any thread.</summary>
    public long LastTimestamp { get; private set; }

    /// <summary>Nothing that is written from now on leaves. From any thread.</summary>
    public bool IsClosed => Volatile.Read(ref _closed);

    public bool IsUnderWay { get; private set; }

    /// <summary>Whether the peer leaves so many answers unread that its requests should be, too. From any thread.</summary>
    public bool IsCongested => _unsent.Answers > _answersAhead;

    /// <summary>The end of the flush under way.</summary>
    public Task End => _waiters.Flushed;

    /// <summary>Nothing that is written from now on leaves.</summary>
    public void Close() => _closed = true;

    /// <summary>Takes off all who wait, since nothing more is flushed.</summary>
    public FlushWaiters.Woken TakeWaiters() => _waiters.Take(all: true);

    /// <summary>Flushes what waits, with none under way. True: one is now, and the caller, without the lock, is to <see cref="Await"/> its end.</summary>
    public bool Begin()
    {
        while (_unsent.Waiting > 0 && !_closed)
        {
            _unsent.BeginFlush();
            _waiters.Begin();
            try
            {
#pragma warning disable CA2012 // Awaited once, by Ended: a task for it would be garbage for each flush.
                _flush = _writer.FlushAsync().ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
                if (!_flush.IsCompleted)
                {
                    IsUnderWay = true;
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

            Finish();
            _waiters.Take(all: false).Wake();
        }

        return false;
    }

    /// <summary>Has the flush that has just begun followed by the next. By who began it, without the lock.</summary>
    public void Await() => _flush.UnsafeOnCompleted(_ended);

    /// <summary>Completes when the peer has taken enough answers for its requests to be read again. For the read loop alone, without the lock.</summary>
    public ValueTask UncongestedAsync()
    {
        if (!IsCongested)
        {
            return ValueTask.CompletedTask;
        }

        lock (_lock)
        {
            return IsUnderWay && IsCongested && !_closed ? _waiters.PauseReader() : ValueTask.CompletedTask;
        }
    }

    /// <summary>Completes when all that has been written so far was handed to the transport, or nothing more is.</summary>
    /// <param name="moreGathers">Something more belongs to it that is not written yet.</param>
    public Task AllAsync(bool moreGathers)
    {
        if (_closed)
        {
            return Task.CompletedTask;
        }

        if (_unsent.Waiting > 0 || moreGathers)
        {
            return _waiters.FlushedNext;
        }

        return IsUnderWay ? _waiters.Flushed : Task.CompletedTask;
    }

    private void Finish()
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
        IsUnderWay = false;
        _unsent.EndFlush();
        LastTimestamp = _time.GetTimestamp();
    }

    private void Ended()
    {
        FlushWaiters.Woken woken;
        bool wakeReader;
        bool begun;
        lock (_lock)
        {
            Finish();
            woken = _waiters.Take(all: _closed);
            begun = Begin();
            wakeReader = _waiters.IsReaderPaused && (!IsUnderWay || !IsCongested || _closed);
            if (wakeReader)
            {
                _waiters.TakeReader();
            }
        }

        if (begun)
        {
            Await();
        }

        woken.Wake();
        if (wakeReader)
        {
            _waiters.WakeReader();
        }
    }
}
