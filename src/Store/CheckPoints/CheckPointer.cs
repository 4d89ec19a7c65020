using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using GrayMQ.Store.Indexes;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.CheckPoints;

/// <summary>
/// Makes queues and index durable from time to time, and then says so in both check points: up to there, the next start
/// reads nothing.
/// </summary>
internal sealed class CheckPointer(
    StoreOptions options,
    IStoreFileSystem fileSystem,
    CommitLog log,
    MessageDispatch dispatch,
    Dispatcher dispatcher,
    CheckPointFiles files,
    TimeProvider time,
    ILogger logger)
{
    // A check point that takes long (thousands of dirty queues) comes less often: at most this share of the time.
    private const int MaxBusyShare = 5;

    // With more files than this to flush, the whole file system is flushed at once.
    private const int MaxSingleFlushes = 64;

    private readonly Lock _lock = new();
    private readonly List<DirtyRange> _ranges = [];
    private readonly List<LogicQueue> _newFiles = [];
    private long _takenAt = time.GetTimestamp();
    private TimeSpan _lastTook;

    /// <summary>A flush of queues or index failed: nothing later may be called durable any more.</summary>
    public bool IsBroken { get; private set; }

    public bool IsDue => time.GetElapsedTime(_takenAt)
        >= TimeSpan.FromMilliseconds(options.CheckPointIntervalMs) + (_lastTook * MaxBusyShare);

    /// <summary>Takes a check point; false if it could not be made durable.</summary>
    public bool Take()
    {
        lock (_lock)
        {
            if (IsBroken)
            {
                ForgetDirtyQueues();
                return false;
            }

            long startedAt = _takenAt = time.GetTimestamp();
            try
            {
                TakeLocked();
                _lastTook = time.GetElapsedTime(startedAt);
                return true;
            }
            catch (FlushFailedException e)
            {
                IsBroken = true;
                Log.CheckPointFailed(logger, e);
                return false;
            }
            catch (IOException e)
            {
                // Something could not be opened or mapped, which may pass.
                Log.CheckPointPutOff(logger, e);
                return false;
            }
        }
    }

    // Their files stay mapped for as long as they are to be flushed, and these never will be.
    private void ForgetDirtyQueues()
    {
        _ranges.Clear();
        _newFiles.Clear();
        lock (dispatch.Lock)
        {
            dispatch.TakeDirtyQueues(_ranges, _newFiles);
        }
    }

    private void TakeLocked()
    {
        _ranges.Clear();
        _newFiles.Clear();
        ProgressRecord progress;
        IndexDirt dirt;
        lock (dispatch.Lock)
        {
            progress = new ProgressRecord(
                0,
                dispatcher.Offset,
                dispatcher.LastRecordOffset,
                dispatcher.LastStoreTimestampMs,
                dispatch.Index.Position(),
                log.MinOffset,
                StoreFileSizes.Of(options));
            dispatch.TakeDirtyQueues(_ranges, _newFiles);
            dirt = dispatch.Index.TakeDirt();
        }

        bool nothingWritten = _ranges.Count == 0 && _newFiles.Count == 0 && dirt.File is null;
        if (nothingWritten && files.Progress is { } last && progress == last with { Sequence = 0 })
        {
            TellFollowers(progress.Offset);
            return;
        }

        try
        {
            Save(progress, dirt);
        }
        catch (IOException)
        {
            lock (dispatch.Lock)
            {
                dispatch.PutBackDirtyQueues(_ranges, _newFiles);
                dispatch.Index.PutBack(dirt);
            }

            throw;
        }

        TellFollowers(progress.Offset);
    }

    // What a follower cannot write down now is not lost: the log is shown again from where it last could.
    private void TellFollowers(long offset)
    {
        try
        {
            lock (dispatch.Lock)
            {
                dispatch.Followers.OnCheckPoint(offset);
            }
        }
        catch (IOException e)
        {
            Log.FollowerCheckPointFailed(logger, e);
        }
    }

    private void Save(in ProgressRecord progress, in IndexDirt dirt)
    {
        if (log.FlushedOffset < progress.Offset)
        {
            log.Writer.Flush();
        }

        FlushQueues();
        KeyIndex.Flush(dirt);
        files.Save(
            progress,
            files.Rocket with
            {
                LogTimestampMs = progress.LastStoreTimestampMs,
                QueueTimestampMs = progress.LastStoreTimestampMs,
                IndexTimestampMs = Math.Max(files.Rocket.IndexTimestampMs, dispatch.Index.FlushedFullTimestampMs),
                ConfirmOffset = progress.Offset,
            });
    }

    private void FlushQueues()
    {
        if (_ranges.Count + (2 * _newFiles.Count) > MaxSingleFlushes)
        {
            fileSystem.SyncAll(options.RootDirectory);
            return;
        }

        foreach (DirtyRange range in _ranges)
        {
            try
            {
                range.File.Flush(range.From, range.To);
            }
            catch (FileNotFoundException)
            {
                // Its topic was deleted, or retention has removed it.
            }
            catch (DirectoryNotFoundException)
            {
                // As above.
            }
        }

        foreach (LogicQueue queue in _newFiles)
        {
            SyncIfThere(queue.DirectoryPath);
            SyncIfThere(queue.TopicQueues.DirectoryPath);
        }

        if (_newFiles.Count > 0)
        {
            SyncIfThere(options.ConsumeQueuePath);
            SyncIfThere(options.RootDirectory);
        }
    }

    private void SyncIfThere(string directory)
    {
        if (fileSystem.DirectoryExists(directory))
        {
            fileSystem.SyncDirectory(directory);
        }
    }
}
