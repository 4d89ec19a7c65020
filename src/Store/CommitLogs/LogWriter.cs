using GrayMQ.Store.Files;
using GrayMQ.Store.Statistics;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// Brings what was appended to the log into its files, and makes it durable. Once either has failed nothing more is taken: what comes behind a
/// gap would never be found.
/// </summary>
/// <param name="tail">What was appended and is not written yet.</param>
/// <param name="appendLock">Guards what <paramref name="tail"/> gathers; taken inside the locks of this one.</param>
internal sealed class LogWriter(
    CommitLogFiles files,
    LogTail tail,
    Lock appendLock,
    RunningFlags flags,
    StoreStatistics statistics,
    TimeProvider time,
    ILogger logger)
{
    // Taken in this order, where both are.
    private readonly Lock _flushLock = new();
    private readonly Lock _writeLock = new();

    private long _writtenOffset;
    private long _flushedOffset;

    // Up to here recovery has found what there is: a file that is missing below is known to be.
    private long _recoveredEnd;

    // Guarded by the write lock: something that was appended could not be written, and whoever comes to announce it finds nothing.
    private bool _lost;

    /// <summary>Called after every flush, on its thread and outside the locks, with up to where everything is on disk.</summary>
    public event Action<long>? Flushed;

    /// <summary>Called when a record, a write or a flush has failed, mostly with locks held; it has to be short.</summary>
    public event Action? Failed;

    /// <summary>The end of what was written: it can be read, and is not lost with the process.</summary>
    public long WrittenOffset => Volatile.Read(ref _writtenOffset);

    /// <summary>Everything below is on disk.</summary>
    public long FlushedOffset => Volatile.Read(ref _flushedOffset);

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <inheritdoc cref="CommitLog.SetEnd"/>
    public void SetEnd(long offset, long flushedOffset)
    {
        _recoveredEnd = offset;
        Volatile.Write(ref _writtenOffset, offset);
        Volatile.Write(ref _flushedOffset, flushedOffset);
    }

    /// <summary>
    /// Brings what was appended before the call into its file, where it can be read and outlives the process. Throws IOException: then what was
    /// appended since is lost, and nothing is taken any more.
    /// </summary>
    public void WriteAppended()
    {
        lock (_writeLock)
        {
            TailBuffer? taken;
            lock (appendLock)
            {
                taken = tail.Take();
            }

            if (taken is not null)
            {
                Write(taken);
            }
            else if (_lost)
            {
                throw AfterFailure();
            }
        }
    }

    /// <summary>What has its place at an offset will never stand there: nothing is taken or written any more.</summary>
    public void Fail(Exception cause, long offset)
    {
        Log.CommitLogWriteFailed(logger, cause, offset);
        Fail();
    }

    /// <summary>Makes everything durable that was written before the call; returns up to where. Throws IOException.</summary>
    public long Flush()
    {
        long target;
        lock (_flushLock)
        {
            WriteAppended();
            target = WrittenOffset;
            long from = _flushedOffset;
            RefuseAfterFailure();
            try
            {
                while (from < target)
                {
                    long end = FlushFile(from, target);
                    Volatile.Write(ref _flushedOffset, end);
                    from = end;
                }
            }
            catch (IOException e)
            {
                Log.FlushFailed(logger, e, from);
                Fail();
                throw;
            }
        }

        Flushed?.Invoke(target);
        return target;
    }

    // With the write lock held.
    private void Write(TailBuffer taken)
    {
        bool written = false;
        try
        {
            taken.WaitUntilFilled();

            // Behind what could not be written nothing can be: it would never be found.
            RefuseAfterFailure();
            long startedMs = NowMs;
            tail.Write(taken);
            written = true;
            Volatile.Write(ref _writtenOffset, taken.EndOffset);
            statistics.OnPut(taken.Messages, taken.Bytes, NowMs - startedMs);
        }
        catch (Exception e) when (e is not FlushFailedException)
        {
            Fail(e, taken.EndOffset - taken.Bytes);
            throw new FlushFailedException($"The commit log could not be written: {e.Message}", e);
        }
        finally
        {
            _lost |= !written;
            taken.Clear();
        }
    }

    private void Fail()
    {
        flags.SetFlushFailed();
        Failed?.Invoke();
    }

    private void RefuseAfterFailure()
    {
        if (flags.FlushFailed)
        {
            throw AfterFailure();
        }
    }

    private static FlushFailedException AfterFailure() => new("The commit log could not be written or flushed before.");

    // Flushes what one file holds of the range and returns where that ends. A file that was removed, or that recovery missed
    // already, has nothing to flush; any other that is missing must not count as flushed.
    private long FlushFile(long from, long target)
    {
        CommitLogFile? file = files.Find(from);
        long end = Math.Min(target, from - (from % files.FileBytes) + files.FileBytes);
        if (file is null || !file.Memory.TryLease())
        {
            return from < Math.Max(files.MinOffset, _recoveredEnd)
                ? end
                : throw new FlushFailedException($"The commit log has no file for {from}, which was written and is not flushed.");
        }

        try
        {
            file.Memory.Flush((int)(from - file.BaseOffset), (int)(end - from));
        }
        finally
        {
            file.Memory.Release();
        }

        return end;
    }
}
