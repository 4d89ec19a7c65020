using System.Buffers;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Files;
using GrayMQ.Store.Statistics;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// The log that holds every message of the store, in the order of arrival: how it is written and flushed. What is appended gathers in memory
/// (<see cref="LogTail"/>), from where <see cref="WriteAppended"/> brings it into its file. One appender at a time; the flusher and readers
/// (<see cref="CommitLogReader"/>) need no lock of it. Whatever lies below <see cref="MaxOffset"/> is whole and can be read.
/// </summary>
internal sealed class CommitLog(
    StoreOptions options,
    CommitLogFiles files,
    RunningFlags flags,
    StoreStatistics statistics,
    TimeProvider time,
    ILogger logger) : IDisposable
{
    // Taken in this order, where more than one is.
    private readonly Lock _flushLock = new();
    private readonly Lock _writeLock = new();
    private readonly Lock _appendLock = new();

    private long _appendedOffset;
    private long _maxOffset;
    private long _flushedOffset;

    // Up to here recovery has found what there is: a file that is missing below is known to be.
    private long _recoveredEnd;
    private long _lastStoreTimestampMs;

    // Guarded by the append lock.
    private readonly LogRoom _room = new(files, time, logger);
    private readonly BatchWriter _batches = new();
    private readonly LogTail _tail = new(files);
    private CommitLogFile? _current;
    private bool _tailReserved = true;
    private int _mappingEpoch;

    // Guarded by the write lock: something that was appended could not be written, and whoever comes to announce it finds nothing.
    private bool _lost;

    /// <summary>Called after every flush, on its thread and outside the locks, with up to where everything is on disk.</summary>
    public event Action<long>? Flushed;

    /// <summary>Called when a write or a flush has failed, with locks held; it has to be short.</summary>
    public event Action? Failed;

    public CommitLogFiles Files => files;

    /// <summary>The end of what was appended: at or above <see cref="MaxOffset"/>.</summary>
    public long AppendedOffset => Volatile.Read(ref _appendedOffset);

    /// <summary>The end of what was written: it can be read, and is not lost with the process.</summary>
    public long MaxOffset => Volatile.Read(ref _maxOffset);

    /// <summary>Everything below is on disk.</summary>
    public long FlushedOffset => Volatile.Read(ref _flushedOffset);

    public long MinOffset => files.MinOffset;

    public long LastStoreTimestampMs => Volatile.Read(ref _lastStoreTimestampMs);

    /// <summary>Grows with every <see cref="Cut"/>.</summary>
    public int MappingEpoch => Volatile.Read(ref _mappingEpoch);

    /// <summary>
    /// Sets where the log ends, after recovery, and up to where it is known to be on disk. Unless <paramref name="reserved"/>,
    /// the rest of the last file has no blocks yet, and is not written to before it has.
    /// </summary>
    public void SetEnd(long offset, long flushedOffset, long lastStoreTimestampMs, bool reserved)
    {
        _current = files.Find(offset);
        _tailReserved = reserved;
        _lastStoreTimestampMs = lastStoreTimestampMs;
        _recoveredEnd = offset;
        Volatile.Write(ref _appendedOffset, offset);
        Volatile.Write(ref _maxOffset, offset);
        Volatile.Write(ref _flushedOffset, flushedOffset);
    }

    /// <param name="mappingEpoch">See <see cref="MessageStore.Append"/>.</param>
    public AppendResult Append(LogicQueue queue, in MessageAppend message, int? mappingEpoch = null)
    {
        if (message.Properties.Length > MessagePropertiesCodec.MaxBytes)
        {
            return Refused(AppendStatus.PropertiesSizeExceeded);
        }

        var fields = new StoredMessageFields
        {
            Topic = queue.TopicUtf8,
            Properties = message.Properties,
            QueueId = queue.QueueId,
            Flag = message.Flag,
            SysFlag = message.SysFlag,
            BornTimestampMs = message.BornTimestampMs,
            BornHost = message.BornHost,
            StoreHost = message.StoreHost,
            ReconsumeTimes = message.ReconsumeTimes,
            PreparedTransactionOffset = message.PreparedTransactionOffset,
        };
        long bytes = StoredMessageWriter.RecordBytes(fields, message.Body.Length);
        if (message.Body.Length > options.MaxMessageBytes || bytes > LargestRecord)
        {
            return Refused(AppendStatus.MessageIllegal);
        }

        int total = (int)bytes;
        bool entersQueue = LogicQueue.Takes(message.SysFlag);
        do
        {
            lock (_appendLock)
            {
                if (mappingEpoch is { } epoch && epoch != _mappingEpoch)
                {
                    return new AppendResult(AppendStatus.MappingChanged, 0, 0, 0, 0);
                }

                AppendStatus? status = MakeRoom(queue, total, out long offset, out Span<byte> destination);
                if (status == AppendStatus.Ok)
                {
                    long now = NowMs;
                    long queueOffset = entersQueue ? queue.NextOffset : 0;
                    fields.QueueOffset = queueOffset;
                    fields.PhysicalOffset = offset;
                    fields.StoreTimestampMs = now;
                    StoredMessageWriter.Write(destination, fields, message.Body);
                    if (entersQueue)
                    {
                        queue.NextOffset = queueOffset + 1;
                    }

                    Appended(1, total, offset + total, now);
                    return new AppendResult(AppendStatus.Ok, offset, queueOffset, total, now) { QueueId = queue.QueueId };
                }

                if (status is { } refused)
                {
                    return Refused(refused);
                }
            }
        }
        while (TryWriteAppended());

        return Refused(AppendStatus.ServiceNotAvailable);
    }

    /// <summary>
    /// Appends all messages of a batch body or none; their properties are followed by <paramref name="common"/>'s. The
    /// physical offset of each is put into <paramref name="physicalOffsets"/>, if that is given.
    /// </summary>
    public AppendBatchResult AppendBatch(
        LogicQueue queue, in MessageAppend common, in ReadOnlySequence<byte> batchBody, List<long>? physicalOffsets, int? mappingEpoch)
    {
        physicalOffsets?.Clear();
        AppendStatus measured = MeasureBatch(queue, common, batchBody, out long bytes, out int count);
        if (measured != AppendStatus.Ok)
        {
            return BatchRefused(measured);
        }

        int total = (int)bytes;
        do
        {
            lock (_appendLock)
            {
                if (mappingEpoch is { } epoch && epoch != _mappingEpoch)
                {
                    return new AppendBatchResult(AppendStatus.MappingChanged, 0, 0, 0, 0, 0);
                }

                AppendStatus? status = MakeRoom(queue, total, out long start, out Span<byte> destination);
                if (status == AppendStatus.Ok)
                {
                    long now = NowMs;
                    long firstQueueOffset = queue.NextOffset;
                    long end = _batches.Write(
                        destination, queue, common, batchBody, firstQueueOffset, start, now, physicalOffsets);
                    queue.NextOffset = firstQueueOffset + count;
                    Appended(count, total, end, now);
                    return new AppendBatchResult(AppendStatus.Ok, start, firstQueueOffset, count, total, now) { QueueId = queue.QueueId };
                }

                if (status is { } refused)
                {
                    return BatchRefused(refused);
                }
            }
        }
        while (TryWriteAppended());

        return BatchRefused(AppendStatus.ServiceNotAvailable);
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
            lock (_appendLock)
            {
                taken = _tail.Take();
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

    /// <inheritdoc cref="MessageStore.Cut"/>
    public void Cut(IReadOnlyList<LogicQueue> queues, Action<int, long[]> change)
    {
        lock (_appendLock)
        {
            int epoch = _mappingEpoch + 1;
            change(epoch, [.. queues.Select(queue => queue.NextOffset)]);
            Volatile.Write(ref _mappingEpoch, epoch);
        }
    }

    /// <summary>The queue's end on the writer's side: messages below it are in the log, if not in the queue yet.</summary>
    public long NextOffsetOf(LogicQueue queue)
    {
        lock (_appendLock)
        {
            return queue.NextOffset;
        }
    }

    /// <summary>Makes everything durable that was written before the call; returns up to where. Throws IOException.</summary>
    public long Flush()
    {
        long target;
        lock (_flushLock)
        {
            WriteAppended();
            target = MaxOffset;
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
                SetFailed();
                throw;
            }
        }

        Flushed?.Invoke(target);
        return target;
    }

    /// <summary>Lets a topic's queues take no more messages, or take them again. Who appends later sees it.</summary>
    public void SetRetired(TopicQueues queues, bool retired)
    {
        lock (_appendLock)
        {
            queues.IsRetired = retired;
        }
    }

    /// <summary>Waits until no append is under way; later ones see what was changed before.</summary>
    public void Quiesce()
    {
        lock (_appendLock)
        {
        }
    }

    public void Dispose()
    {
        _tail.Dispose();
        files.Dispose();
    }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    private int LargestRecord => files.FileBytes - StoredMessageLayout.BlankHeaderBytes;

    private AppendResult Refused(AppendStatus status)
    {
        statistics.OnPutFailed();
        return new AppendResult(status, 0, 0, 0, 0);
    }

    private AppendBatchResult BatchRefused(AppendStatus status)
    {
        statistics.OnPutFailed();
        return new AppendBatchResult(status, 0, 0, 0, 0, 0);
    }

    // Finds the place for records, closing the current file and opening the next if need be. Null: what has gathered is to be written first.
    private AppendStatus? MakeRoom(LogicQueue queue, int bytes, out long offset, out Span<byte> destination)
    {
        offset = _appendedOffset;
        destination = default;
        if (!flags.IsWritable)
        {
            return AppendStatus.ServiceNotAvailable;
        }

        if (queue.TopicQueues.IsRetired)
        {
            return AppendStatus.QueueRetired;
        }

        _tailReserved = _tailReserved || _room.TryReserve(_current!, (int)(offset - _current!.BaseOffset));
        if (!_tailReserved)
        {
            return AppendStatus.CreateMappedFileFailed;
        }

        CommitLogFile? current = _current;
        int position = current is null ? 0 : (int)(offset - current.BaseOffset);
        int needed = bytes + StoredMessageLayout.BlankHeaderBytes;
        if (current is null || needed > current.Length - position)
        {
            if (!_tail.IsEmpty)
            {
                return null;
            }

            long nextBase = current?.EndOffset ?? offset - (offset % files.FileBytes);
            if (!_room.TryAddFile(nextBase, out CommitLogFile? next))
            {
                return AppendStatus.CreateMappedFileFailed;
            }

            if (current is not null && current.Length - position >= StoredMessageLayout.BlankHeaderBytes)
            {
                StoredMessageWriter.WriteBlank(
                    current.Memory.Span(position, StoredMessageLayout.BlankHeaderBytes), current.Length - position);
            }

            _current = current = next;
            offset = nextBase;
            position = 0;
            Volatile.Write(ref _appendedOffset, offset);
        }

        if (position + bytes > current.Length / 2)
        {
            files.Prepare(current.EndOffset);
        }

        return _tail.TryReserve(current, bytes, out destination) ? AppendStatus.Ok : null;
    }

    // With the append lock held.
    private void Appended(int messages, int bytes, long endOffset, long storeTimestampMs)
    {
        _tail.Add(messages, bytes, endOffset, storeTimestampMs);
        Volatile.Write(ref _appendedOffset, endOffset);
    }

    // Whether there is room now.
    private bool TryWriteAppended()
    {
        try
        {
            WriteAppended();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    // With the write lock held.
    private void Write(TailBuffer taken)
    {
        bool written = false;
        try
        {
            // Behind what could not be written nothing can be: it would never be found.
            RefuseAfterFailure();
            long startedMs = NowMs;
            _tail.Write(taken);
            written = true;
            Volatile.Write(ref _lastStoreTimestampMs, taken.LastStoreTimestampMs);
            Volatile.Write(ref _maxOffset, taken.EndOffset);
            statistics.OnPut(taken.Messages, taken.Bytes, NowMs - startedMs);
        }
        catch (Exception e) when (e is not FlushFailedException)
        {
            Log.CommitLogWriteFailed(logger, e, taken.EndOffset - taken.Bytes);
            SetFailed();
            throw new FlushFailedException($"The commit log could not be written: {e.Message}", e);
        }
        finally
        {
            _lost |= !written;
            taken.Clear();
        }
    }

    private void SetFailed()
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

    private AppendStatus MeasureBatch(
        LogicQueue queue, in MessageAppend common, in ReadOnlySequence<byte> batchBody, out long bytes, out int count)
    {
        bytes = 0;
        count = 0;
        if (batchBody.Length > options.MaxMessageBytes
            || MessageSysFlag.Transaction(common.SysFlag) != MessageSysFlag.TransactionNone)
        {
            return AppendStatus.MessageIllegal;
        }

        AppendStatus status = BatchWriter.Measure(queue, common, batchBody, out bytes, out count);
        return status == AppendStatus.Ok && bytes > LargestRecord ? AppendStatus.MessageIllegal : status;
    }

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
