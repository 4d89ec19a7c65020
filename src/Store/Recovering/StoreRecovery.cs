using System.Diagnostics;
using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.CheckPoints;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Recovering;

/// <summary>What recovery found out.</summary>
/// <param name="Start">Everything below was known to be good and was not read.</param>
/// <param name="End">Where the log ends.</param>
/// <param name="Dispatched">Up to where queues and index are complete: the end, unless the disk was full.</param>
/// <param name="LastRecordOffset">The last dispatched record; -1 for none.</param>
/// <param name="LastStoreTimestampMs">Of that record.</param>
/// <param name="TailReserved">The rest of the last file has its blocks; false on a full disk.</param>
internal readonly record struct RecoveryResult(
    long Start, long End, long Dispatched, long LastRecordOffset, long LastStoreTimestampMs, bool TailReserved);

/// <summary>
/// Brings log, queues and index into agreement before the store opens. What the check point says is durable is not read
/// again; from there on the log is walked record by record, damage is bridged or cut, and queues and index are led to where
/// the log ends.
/// </summary>
internal sealed class StoreRecovery(
    StoreOptions options,
    IStoreFileSystem fileSystem,
    CommitLogFiles files,
    ConsumeQueueStorage storage,
    MessageDispatch dispatch,
    CheckPointFiles checkPoints,
    LogView view,
    ILogger logger)
{
    private readonly Quarantine _quarantine = new(options, fileSystem, logger);
    private readonly LogWalk _walk = new(options, files, logger);

    private long _dispatchedTo = -1;
    private long _lastRecordOffset = -1;
    private long _lastStoreTimestampMs;
    private bool _cut;

    // After a clean stop the queues tell how far the log goes at least: zeros before that are damage, not its end.
    private long _newestEntryEnd;

    public RecoveryResult Recover(bool clean)
    {
        new CommitLogLoader(options, fileSystem, checkPoints.FileSizes, files, _quarantine, logger).Load();
        if (files.IsEmpty)
        {
            PutQueuesAway();
            dispatch.Followers.SetEnd(0);
            return new RecoveryResult(0, 0, 0, -1, 0, true);
        }

        ProgressRecord? progress = checkPoints.Progress is { } record && Agrees(record) ? record : null;
        bool rebuildAll = !fileSystem.DirectoryExists(options.ConsumeQueuePath);
        var queueLoader = new QueueLoader(
            options, fileSystem, checkPoints.FileSizes, dispatch.Queues, storage, _walk, _quarantine, logger);
        var indexLoader = new IndexLoader(options, fileSystem, dispatch.Index, _quarantine, logger);
        long start;
        if (clean)
        {
            queueLoader.Load(long.MaxValue);
            indexLoader.Load(long.MaxValue, known: null);
            start = StartAfterCleanStop(progress, queueLoader);
            rebuildAll |= queueLoader.Count == 0 && progress is null;
        }
        else
        {
            start = progress?.Offset ?? StartByTimestamp();
            rebuildAll |= progress is null && fileSystem.ListDirectories(options.ConsumeQueuePath).Count == 0;
            if (rebuildAll)
            {
                start = files.MinOffset;
            }

            queueLoader.Load(start);
            indexLoader.Load(start, progress?.Index);
        }

        if (rebuildAll)
        {
            start = files.MinOffset;
        }

        if (progress is { } known && known.Offset == start)
        {
            _lastRecordOffset = known.LastRecordOffset;
            _lastStoreTimestampMs = known.LastStoreTimestampMs;
        }

        Log.RecoveryStarted(logger, clean, start, files.Last!.EndOffset);
        view.SetRecoveredFrom(start);
        new FollowerCatchUp(files, _walk, dispatch.Followers, logger).Run(start);
        long end = WalkToEnd(start, clean);
        bool tailReserved = CutLog(end, clean);
        indexLoader.CutBeyond(end);
        dispatch.Followers.SetEnd(end);
        queueLoader.Verify(files.MinOffset, end);
        RebuildQueues(end);
        CutAnswers();
        foreach (LogicQueue queue in dispatch.Queues.All)
        {
            queue.NextOffset = Math.Max(queue.NextOffset, queue.MaxOffset);
            queue.Unmap();
        }

        return new RecoveryResult(
            start, end, _dispatchedTo < 0 ? end : _dispatchedTo, _lastRecordOffset, _lastStoreTimestampMs, tailReserved);
    }

    // Without a log, what queues and index say points nowhere.
    private void PutQueuesAway()
    {
        fileSystem.DeleteDirectory(options.AnswersPath);
        foreach (string path in new[] { options.ConsumeQueuePath, options.IndexPath })
        {
            if (fileSystem.ListDirectories(path).Count > 0 || fileSystem.ListFiles(path).Count > 0)
            {
                _quarantine.Take(path, "the commit log has no files");
            }
        }
    }

    // The store may have been in RocketMQ's hands since: a check point counts if the log still is what it was then.
    private bool Agrees(in ProgressRecord progress)
    {
        long offset = progress.Offset;
        if (offset < files.MinOffset || offset > files.Last!.EndOffset)
        {
            Log.ProgressIgnored(logger, offset, "the log does not reach there");
            return false;
        }

        if (progress.LastRecordOffset < files.MinOffset)
        {
            bool atBeginning = offset == files.MinOffset;
            if (!atBeginning)
            {
                Log.ProgressIgnored(logger, offset, "its last record is gone");
            }

            return atBeginning;
        }

        if (!_walk.IsRecord(progress.LastRecordOffset, checkCrc: true, out int size, out long timestampMs)
            || timestampMs != progress.LastStoreTimestampMs)
        {
            Log.ProgressIgnored(logger, offset, "its last record is another");
            return false;
        }

        long recordEnd = progress.LastRecordOffset + size;
        bool agrees = recordEnd == offset
            || (offset % files.FileBytes == 0 && offset - recordEnd < files.FileBytes);
        if (!agrees)
        {
            Log.ProgressIgnored(logger, offset, "its last record ends elsewhere");
        }

        return agrees;
    }

    // Everything was in the queues when the store was closed, so only what none of them knows has to be looked at.
    private long StartAfterCleanStop(ProgressRecord? progress, QueueLoader queues)
    {
        long start = progress?.Offset ?? files.MinOffset;
        ConsumeQueueEntry newest = queues.MaxPhysicalEntry;
        _newestEntryEnd = newest.EndOffset;
        if (newest.EndOffset > start && _walk.IsRecord(newest.PhysicalOffset, checkCrc: true, out int size, out long timestampMs)
            && size == newest.Size)
        {
            _lastRecordOffset = newest.PhysicalOffset;
            _lastStoreTimestampMs = timestampMs;
            return newest.EndOffset;
        }

        return start;
    }

    // RocketMQ's rule: the newest file that begins with a message which its check point covers (isMappedFileMatchedRecover).
    private long StartByTimestamp()
    {
        long safe = checkPoints.Rocket.SafeTimestampMs;
        ReadOnlySpan<CommitLogFile?> all = files.All;
        for (int i = all.Length - 1; i > 0; i--)
        {
            if (all[i] is { } file && LogWalk.FirstTimestampMs(file) is > 0 and long first && first <= safe)
            {
                return file.BaseOffset;
            }
        }

        return files.MinOffset;
    }

    private long WalkToEnd(long start, bool clean)
    {
        long startedAt = Stopwatch.GetTimestamp();
        long offset = start;
        long records = 0;
        while (offset < files.Last!.EndOffset)
        {
            if (files.Find(offset) is not { } file)
            {
                offset += files.FileBytes - (offset % files.FileBytes);
                continue;
            }

            StoredMessageStatus status = LogWalk.Read(file, offset, out StoredMessage message);
            if (status == StoredMessageStatus.Message && (!options.CheckCrcOnRecover || message.BodyCrcMatches()))
            {
                TryDispatch(message);
                records++;
                offset += message.TotalSize;
            }
            else if (status == StoredMessageStatus.Blank)
            {
                offset = file.EndOffset;
            }
            else if (clean && status == StoredMessageStatus.Empty && offset >= _newestEntryEnd)
            {
                break;
            }
            else if (_walk.FindRecordBehind(offset) is >= 0 and long next)
            {
                Log.DamageFound(logger, file.Path, offset, next, status);
                _walk.Bridge(offset, next, _lastStoreTimestampMs);
                offset = next;
            }
            else
            {
                if (status != StoredMessageStatus.Empty || offset < _newestEntryEnd)
                {
                    Log.LogCut(logger, file.Path, offset, _walk.ClaimedSize(offset), status);
                    _cut = true;
                }

                break;
            }
        }

        Log.RecoveryWalked(
            logger, records, start, offset, (long)Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds);
        return offset;
    }

    private void TryDispatch(in StoredMessage message)
    {
        LogicQueue? queue = dispatch.Queues.Find(message.Topic, message.QueueId);
        if (_dispatchedTo < 0)
        {
            try
            {
                if (queue is { NeedsRebuild: true })
                {
                    dispatch.DispatchBesidesQueue(queue, message);
                }
                else
                {
                    dispatch.Dispatch(message, out _);
                }

                _lastRecordOffset = message.PhysicalOffset;
                _lastStoreTimestampMs = message.StoreTimestampMs;
            }
            catch (IOException e)
            {
                // No room for queues: the dispatcher goes on from here when there is some.
                Log.DispatchFailed(logger, e, message.PhysicalOffset);
                _dispatchedTo = message.PhysicalOffset;
            }
        }

        if (_dispatchedTo >= 0
            && LogicQueue.Takes(message.SysFlag)
            && QueueTable.IsValid(message.Topic, message.QueueId))
        {
            queue ??= dispatch.Queues.GetOrAdd(message.Topic, message.QueueId);
            queue.NextOffset = Math.Max(queue.NextOffset, message.QueueOffset + 1);
        }
    }

    // Behind the end nothing may be left that a later walk could take for a record.
    // False if there is no room to reserve what is left of the last file.
    private bool CutLog(long end, bool clean)
    {
        while (files.Last is { } last && last.BaseOffset > end)
        {
            if (!_walk.LooksEmpty(last.BaseOffset))
            {
                _quarantine.Take(last.Path, $"the commit log ends at {end}, before this file");
            }

            files.RemoveLast();
        }

        if (files.Find(end) is not { } file)
        {
            return true;
        }

        using IStoreFile open = fileSystem.Open(file.Path, create: false);
        long position = end - file.BaseOffset;
        try
        {
            if (!clean || _cut || !_walk.LooksEmpty(end))
            {
                open.ClearRange(position, files.FileBytes - position);
            }
            else
            {
                // RocketMQ leaves its files sparse.
                open.Allocate(position, files.FileBytes - position);
            }

            return true;
        }
        catch (NoSpaceException e)
        {
            Log.TailNotReserved(logger, e, file.Path);
            if (open.Length < files.FileBytes)
            {
                open.SetLength(files.FileBytes);
            }

            return false;
        }
    }

    // What is kept beside entries that are no more must not be found beside those that will stand there.
    private void CutAnswers()
    {
        foreach (string topic in fileSystem.ListDirectories(options.AnswersPath))
        {
            if (dispatch.Queues.FindTopic(Encoding.UTF8.GetBytes(topic)) is not { } queues)
            {
                fileSystem.DeleteDirectory(Path.Combine(options.AnswersPath, topic));
                continue;
            }

            foreach (string name in fileSystem.ListDirectories(Path.Combine(options.AnswersPath, topic)))
            {
                if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int queueId) || queues.Find(queueId) is null)
                {
                    fileSystem.DeleteDirectory(Path.Combine(options.AnswersPath, topic, name));
                }
            }

            foreach (LogicQueue? queue in queues.Queues)
            {
                queue?.Answers.CutTo(queue.MaxOffset);
            }
        }
    }

    // Queues that were not usable are filled in again from the log, up to where everything is dispatched; other queues are left alone, and
    // followers and index have seen it all.
    private void RebuildQueues(long logEnd)
    {
        long end = _dispatchedTo < 0 ? logEnd : _dispatchedTo;
        int count = 0;
        long offset = end;
        foreach (LogicQueue queue in dispatch.Queues.All)
        {
            if (queue.NeedsRebuild)
            {
                count++;
                offset = Math.Min(offset, Math.Max(queue.RebuildFrom, files.MinOffset));
            }
        }

        if (count == 0)
        {
            return;
        }

        long startedAt = Stopwatch.GetTimestamp();
        while (offset < end)
        {
            if (files.Find(offset) is not { } file)
            {
                offset += files.FileBytes - (offset % files.FileBytes);
                continue;
            }

            StoredMessageStatus status = LogWalk.Read(file, offset, out StoredMessage message);
            if (status == StoredMessageStatus.Message)
            {
                if (dispatch.Queues.Find(message.Topic, message.QueueId) is { NeedsRebuild: true } queue && message.QueueOffset >= 0)
                {
                    dispatch.DispatchToQueue(queue, message);
                }

                offset += message.TotalSize;
            }
            else if (status == StoredMessageStatus.Blank)
            {
                offset = file.EndOffset;
            }
            else
            {
                long next = _walk.FindRecordBehind(offset);
                Log.DamageFound(logger, file.Path, offset, next, status);
                offset = next < 0 ? end : next;
            }
        }

        foreach (LogicQueue queue in dispatch.Queues.All)
        {
            queue.RebuildFrom = -1;
        }

        Log.QueuesRebuilt(logger, count, (long)Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds);
    }
}
