using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Retention;

/// <summary>
/// Removes what is old: commit-log files after <see cref="StoreOptions.FileReservedHours"/>, at the hours of
/// <see cref="StoreOptions.DeleteWhen"/> or when space runs short; queue and index files along with them. The last
/// commit-log file always stays (RocketMQ: CleanCommitLogService, CleanConsumeQueueService).
/// </summary>
internal sealed class Cleaner(
    StoreOptions options,
    IStoreFileSystem fileSystem,
    CommitLog log,
    CommitLogReader reader,
    MessageDispatch dispatch,
    Dispatcher dispatcher,
    RunningFlags flags,
    TimeProvider time,
    ILogger logger)
{
    private readonly int[] _deleteHours = options.DeleteHours();
    private readonly double _warningRatio = Math.Clamp(options.DiskSpaceWarningLevelRatio / 100.0, 0.35, 0.90);
    private readonly double _forciblyRatio = Math.Clamp(options.DiskSpaceCleanForciblyRatio / 100.0, 0.30, 0.85);
    private readonly FileAge _age = new(log.Files, reader);
    private readonly Lock _lock = new();
    private long _trimmedTo;

    /// <summary>Recovery has brought queues and index in line with where the log begins.</summary>
    public void SetTrimmed(long minPhysicalOffset) => _trimmedTo = minPhysicalOffset;

    /// <summary>One round: decides, removes, trims. Returns how many commit-log files went. Throws IOException.</summary>
    public int Run()
    {
        lock (_lock)
        {
            DiskSpace logSpace = fileSystem.GetSpace(options.CommitLogPath);
            DiskSpace rootSpace = fileSystem.GetSpace(options.RootDirectory);
            double used = Math.Max(logSpace.UsedRatio, rootSpace.UsedRatio);
            MarkDiskFull(used);

            bool isShort = used > options.DiskMaxUsedSpaceRatio / 100.0;
            bool atOnce = used > _forciblyRatio && options.CleanFileForciblyEnable;
            int removed = 0;
            if (isShort || used > _forciblyRatio || IsDeleteHour())
            {
                removed = RemoveFiles(atOnce);
                if (removed == 0 && isShort)
                {
                    Log.NothingToRemove(logger, used);
                }
            }

            Trim();
            return removed;
        }
    }

    /// <summary>Unmaps consume-queue files that nobody used for a while.</summary>
    public void UnmapIdle()
    {
        long before = time.GetUtcNow().ToUnixTimeMilliseconds() - options.IdleUnmapMs;
        foreach (LogicQueue queue in dispatch.Queues.All)
        {
            queue.UnmapIdle(before);
        }
    }

    /// <summary>Removes expired files now, whatever the hour (RocketMQ: executeDeleteFilesManually).</summary>
    public int RunManually()
    {
        lock (_lock)
        {
            int removed = RemoveFiles(atOnce: false);
            Trim();
            return removed;
        }
    }

    /// <summary>Removes queue and index files of messages that are gone from the log.</summary>
    public void RunOnQueues()
    {
        lock (_lock)
        {
            _trimmedTo = -1;
            if (Trim() is { } failure)
            {
                throw new IOException("Not all queues could be cleaned up.", failure);
            }
        }
    }

    private bool IsDeleteHour() => Array.IndexOf(_deleteHours, time.GetLocalNow().Hour) >= 0;

    private void MarkDiskFull(double used)
    {
        bool full = used > _warningRatio;
        if (flags.SetDiskFull(full) != full)
        {
            if (full)
            {
                Log.DiskNearlyFull(logger, used, _warningRatio);
            }
            else
            {
                Log.DiskHasRoomAgain(logger, used);
            }
        }
    }

    private int RemoveFiles(bool atOnce)
    {
        int removed = 0;
        while (removed < options.DeleteFileBatchMax && CanRemoveFirst(atOnce))
        {
            CommitLogFile first = log.Files.First!;
            Log.CommitLogFileRemoved(logger, first.Path, atOnce);
            log.Files.RemoveFirst();
            removed++;
        }

        if (removed > 0)
        {
            fileSystem.SyncDirectory(options.CommitLogPath);
        }

        return removed;
    }

    private bool CanRemoveFirst(bool atOnce)
    {
        CommitLogFile? first = log.Files.First;
        if (first is null || first.EndOffset > dispatcher.Offset || first.EndOffset >= log.MaxOffset)
        {
            return false;
        }

        if (atOnce)
        {
            return true;
        }

        long storedBy = _age.StoredByMs(first);
        long age = time.GetUtcNow().ToUnixTimeMilliseconds() - storedBy;
        return storedBy >= 0 && age >= TimeSpan.FromHours(options.FileReservedHours).TotalMilliseconds;
    }

    // Where it fails for one queue, the others go on, and the next round tries all again. Returns the last failure.
    private IOException? Trim()
    {
        long min = log.MinOffset;
        if (min == _trimmedTo)
        {
            return null;
        }

        int files = 0;
        IOException? failure = null;
        foreach (LogicQueue queue in dispatch.Queues.All)
        {
            Try(() => queue.RemoveBefore(min));
        }

        Try(() => dispatch.Index.RemoveBefore(min));
        if (files > 0)
        {
            Log.QueueFilesRemoved(logger, files, min);
        }

        if (failure is null)
        {
            _trimmedTo = min;
        }
        else
        {
            Log.QueuesNotTrimmed(logger, failure, min);
        }

        return failure;

        void Try(Func<int> remove)
        {
            try
            {
                lock (dispatch.Lock)
                {
                    files += remove();
                }
            }
            catch (IOException e)
            {
                failure = e;
            }
        }
    }
}
