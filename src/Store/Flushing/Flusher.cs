using GrayMQ.Store.CommitLogs;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Flushing;

/// <summary>
/// Makes the commit log durable, on a thread of its own. SYNC_FLUSH: as soon as there is something, again and again, so
/// that whatever arrived during one flush shares the next. ASYNC_FLUSH: at intervals, if there are enough dirty pages.
/// </summary>
internal sealed class Flusher : IDisposable
{
    private const int PageBytes = 4096;

    private readonly StoreOptions _options;
    private readonly CommitLog _log;
    private readonly RunningFlags _flags;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly GroupCommit _commits;
    private readonly WakeSignal _signal = new();
    private readonly Thread _thread;
    private ITimer? _timer;
    private volatile bool _stopping;
    private volatile bool _intervalPassed;
    private long _lastFlushAt;

    public Flusher(StoreOptions options, CommitLog log, RunningFlags flags, TimeProvider time, ILogger logger)
    {
        _options = options;
        _log = log;
        _flags = flags;
        _time = time;
        _logger = logger;
        _commits = new GroupCommit(time);

        // Whoever flushes the log: a check point does too, and there may be no other flush for who waits.
        _log.Writer.Flushed += _commits.Complete;
        _log.Writer.Failed += () => _commits.End(FlushStatus.Failed);
        _lastFlushAt = time.GetTimestamp();
        _thread = new Thread(Run) { Name = "store-flush", IsBackground = true };
    }

    private bool IsSync => _options.FlushDiskType == FlushDiskType.SyncFlush;

    public void Start()
    {
        _thread.Start();
        var interval = TimeSpan.FromMilliseconds(
            IsSync ? Math.Min(_options.FlushIntervalMs, _options.SyncFlushTimeoutMs) : _options.FlushIntervalMs);
        _timer = _time.CreateTimer(static state => ((Flusher)state!).OnInterval(), this, interval, interval);
    }

    /// <summary>Something was appended.</summary>
    public void OnAppended()
    {
        if (IsSync)
        {
            _signal.Wake();
        }
    }

    /// <summary>
    /// Completes when everything below <paramref name="offset"/> is on disk; at once with ASYNC_FLUSH. What was appended is announced by
    /// <see cref="OnAppended"/>, before or after.
    /// </summary>
    public ValueTask<FlushStatus> WaitAsync(long offset)
    {
        if (IsFlushed(offset))
        {
            return ValueTask.FromResult(FlushStatus.Flushed);
        }

        ValueTask<FlushStatus> waiting = _commits.Add(offset);
        CompleteIfFlushed(offset);
        return waiting;
    }

    /// <summary>As <see cref="WaitAsync"/>: null where <paramref name="waiter"/> is told, else how the wait has ended.</summary>
    public FlushStatus? Wait(long offset, FlushWaiter waiter)
    {
        if (IsFlushed(offset))
        {
            return FlushStatus.Flushed;
        }

        FlushStatus? ended = _commits.TryAdd(offset, waiter);
        CompleteIfFlushed(offset);
        return ended;
    }

    /// <summary>Whether nobody has to wait for everything below <paramref name="offset"/>.</summary>
    public bool IsFlushed(long offset) => !IsSync || _log.FlushedOffset >= offset;

    /// <summary>Stops the thread after a last flush; throws nothing: whether it went well, the flags say.</summary>
    public void Stop()
    {
        _timer?.Dispose();
        _stopping = true;
        _signal.Wake();
        if (_thread.IsAlive)
        {
            _thread.Join();
        }
        else
        {
            TryFlush();
        }

        _commits.End(_flags.FlushFailed ? FlushStatus.Failed : FlushStatus.Closed);
    }

    public void Dispose() => _signal.Dispose();

    private bool HasWork
    {
        get
        {
            if (_flags.FlushFailed)
            {
                return false;
            }

            long dirty = _log.AppendedOffset - _log.FlushedOffset;
            if (dirty <= 0)
            {
                return false;
            }

            return IsSync
                || (_intervalPassed
                    && (dirty >= (long)_options.FlushLeastPages * PageBytes
                        || _time.GetElapsedTime(_lastFlushAt).TotalMilliseconds >= _options.FlushThoroughIntervalMs));
        }
    }

    // The flush may have come between the look and the list, and there may be no other.
    private void CompleteIfFlushed(long offset)
    {
        long flushed = _log.FlushedOffset;
        if (flushed >= offset)
        {
            _commits.Complete(flushed);
        }
    }

    private void OnInterval()
    {
        // Who is told that it takes too long takes the message for stored. That comes first for those who may be told already: the disk may hang
        // with a write, too.
        var timeout = TimeSpan.FromMilliseconds(_options.SyncFlushTimeoutMs);
        _commits.Expire(_log.MaxOffset, timeout);
        if (_log.AppendedOffset > _log.MaxOffset && TryWriteAppended())
        {
            _commits.Expire(_log.MaxOffset, timeout);
        }

        _intervalPassed = true;
        _signal.Wake();
    }

    private bool TryWriteAppended()
    {
        try
        {
            _log.Writer.WriteAppended();
            return true;
        }
        catch (IOException)
        {
            // The log has said it.
            return false;
        }
    }

    private void Run()
    {
        while (true)
        {
            if (HasWork)
            {
                TryFlush();
                continue;
            }

            _intervalPassed = false;
            _signal.PrepareToSleep();
            if (_stopping)
            {
                TryFlush();
                return;
            }

            if (HasWork)
            {
                _signal.StayAwake();
                continue;
            }

            _signal.Sleep();
        }
    }

    private void TryFlush()
    {
        try
        {
            _intervalPassed = false;
            _lastFlushAt = _time.GetTimestamp();
            _log.Writer.Flush();
        }
        catch (IOException)
        {
            // The log has said it, and told who waits.
        }
        catch (Exception e)
        {
            _flags.SetFlushFailed();
            Log.ThreadFailed(_logger, e, "flush");
            _commits.End(FlushStatus.Failed);
        }
    }
}
