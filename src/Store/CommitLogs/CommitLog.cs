using System.Buffers;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Statistics;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// The log that holds every message of the store, in the order of arrival: where each gets its place. What is appended gathers in memory
/// (<see cref="LogTail"/>), from where the <see cref="Writer"/> brings it into its file. One appender at a time is given a place, and many fill
/// theirs; the flusher and readers (<see cref="CommitLogReader"/>) need no lock of it. Whatever lies below <see cref="MaxOffset"/> is whole and can be read.
/// </summary>
internal sealed class CommitLog : IDisposable
{
    private readonly StoreOptions _options;
    private readonly RunningFlags _flags;
    private readonly StoreStatistics _statistics;
    private readonly TimeProvider _time;

    private readonly LogTail _tail;

    // Taken inside the writer's.
    private readonly Lock _appendLock = new();

    // Guarded by it.
    private readonly LogEnd _end;
    private int _mappingEpoch;
    private long _lastStoreMs;

    public CommitLog(
        StoreOptions options, CommitLogFiles files, RunningFlags flags, StoreStatistics statistics, TimeProvider time, ILogger logger)
    {
        _options = options;
        _flags = flags;
        _statistics = statistics;
        _time = time;
        Files = files;
        _tail = new LogTail(files);
        _end = new LogEnd(files, _tail, new LogRoom(files, time, logger));
        Writer = new LogWriter(files, _tail, _appendLock, flags, statistics, time, logger);
    }

    public CommitLogFiles Files { get; }

    /// <summary>Writes and flushes what was appended.</summary>
    public LogWriter Writer { get; }

    /// <summary>The end of what was appended: at or above <see cref="MaxOffset"/>.</summary>
    public long AppendedOffset => _end.Offset;

    /// <inheritdoc cref="LogWriter.WrittenOffset"/>
    public long MaxOffset => Writer.WrittenOffset;

    /// <inheritdoc cref="LogWriter.FlushedOffset"/>
    public long FlushedOffset => Writer.FlushedOffset;

    public long MinOffset => Files.MinOffset;

    /// <summary>Grows with every <see cref="Cut"/>.</summary>
    public int MappingEpoch => Volatile.Read(ref _mappingEpoch);

    /// <summary>
    /// Sets where the log ends, after recovery, and up to where it is known to be on disk. Unless <paramref name="reserved"/>,
    /// the rest of the last file has no blocks yet, and is not written to before it has.
    /// </summary>
    public void SetEnd(long offset, long flushedOffset, bool reserved)
    {
        _end.Set(offset, reserved);
        Writer.SetEnd(offset, flushedOffset);
    }

    /// <param name="mappingEpoch">See <see cref="MessageStore.Append"/>.</param>
    public AppendResult Append(LogicQueue queue, in MessageAppend message, int? mappingEpoch = null)
    {
        if (message.Properties.Length > MessagePropertiesCodec.MaxBytes)
        {
            return Refused(AppendStatus.PropertiesSizeExceeded);
        }

        StoredMessageFields fields = default;
        fields.Topic = queue.TopicUtf8;
        fields.Properties = message.Properties;
        fields.QueueId = queue.QueueId;
        fields.Flag = message.Flag;
        fields.SysFlag = message.SysFlag;
        fields.BornTimestampMs = message.BornTimestampMs;
        fields.BornHost = message.BornHost;
        fields.StoreHost = message.StoreHost;
        fields.ReconsumeTimes = message.ReconsumeTimes;
        fields.PreparedTransactionOffset = message.PreparedTransactionOffset;
        long bytes = StoredMessageWriter.RecordBytes(fields, message.Body.Length);
        if (message.Body.Length > _options.MaxMessageBytes || bytes > LargestRecord)
        {
            return Refused(AppendStatus.MessageIllegal);
        }

        int total = (int)bytes;
        bool entersQueue = LogicQueue.Takes(message.SysFlag);
        long now = NowMs;
        do
        {
            AppendStatus? status;
            LogPlace place;
            long queueOffset = 0;
            lock (_appendLock)
            {
                if (mappingEpoch is { } epoch && epoch != _mappingEpoch)
                {
                    return new AppendResult(AppendStatus.MappingChanged, 0, 0, 0, 0);
                }

                status = TryReserve(queue, messages: 1, total, out place);
                if (status == AppendStatus.Ok)
                {
                    now = InOrder(now);
                    if (entersQueue)
                    {
                        queueOffset = queue.NextOffset++;
                    }
                }
            }

            if (status == AppendStatus.Ok)
            {
                fields.QueueOffset = queueOffset;
                fields.PhysicalOffset = place.Offset;
                fields.StoreTimestampMs = now;
                Fill(in place, in fields, message.Body);
                return new AppendResult(AppendStatus.Ok, place.Offset, queueOffset, total, now) { QueueId = queue.QueueId };
            }

            if (status is { } refused)
            {
                return Refused(refused);
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
        long now = NowMs;
        do
        {
            AppendStatus? status;
            LogPlace place;
            long firstQueueOffset = 0;
            lock (_appendLock)
            {
                if (mappingEpoch is { } epoch && epoch != _mappingEpoch)
                {
                    return new AppendBatchResult(AppendStatus.MappingChanged, 0, 0, 0, 0, 0);
                }

                status = TryReserve(queue, count, total, out place);
                if (status == AppendStatus.Ok)
                {
                    now = InOrder(now);
                    firstQueueOffset = queue.NextOffset;
                    queue.NextOffset = firstQueueOffset + count;
                }
            }

            if (status == AppendStatus.Ok)
            {
                Fill(in place, queue, common, batchBody, firstQueueOffset, now, physicalOffsets);
                return new AppendBatchResult(AppendStatus.Ok, place.Offset, firstQueueOffset, count, total, now) { QueueId = queue.QueueId };
            }

            if (status is { } refused)
            {
                return BatchRefused(refused);
            }
        }
        while (TryWriteAppended());

        return BatchRefused(AppendStatus.ServiceNotAvailable);
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

    /// <summary>Lets a topic's queues take no more messages, or take them again. Who appends later sees it.</summary>
    public void SetRetired(TopicQueues queues, bool retired)
    {
        lock (_appendLock)
        {
            queues.IsRetired = retired;
        }
    }

    /// <summary>Waits until no place is being given; later appends see what was changed before. Whatever has its place is there with the next write.</summary>
    public void Quiesce()
    {
        lock (_appendLock)
        {
        }
    }

    public void Dispose()
    {
        _tail.Dispose();
        Files.Dispose();
    }

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private int LargestRecord => Files.FileBytes - StoredMessageLayout.BlankHeaderBytes;

    private AppendResult Refused(AppendStatus status)
    {
        _statistics.OnPutFailed();
        return new AppendResult(status, 0, 0, 0, 0);
    }

    private AppendBatchResult BatchRefused(AppendStatus status)
    {
        _statistics.OnPutFailed();
        return new AppendBatchResult(status, 0, 0, 0, 0, 0);
    }

    // With the append lock held. Null: what has gathered is to be written first.
    private AppendStatus? TryReserve(LogicQueue queue, int messages, int bytes, out LogPlace place)
    {
        place = default;
        if (!_flags.IsWritable)
        {
            return AppendStatus.ServiceNotAvailable;
        }

        return queue.TopicQueues.IsRetired ? AppendStatus.QueueRetired : _end.TryReserve(messages, bytes, out place);
    }

    // Times were read before the lock was taken, and others may have been quicker: they stand in the log in their order. What is read under the
    // lock is right in any case, be it that the clock was set back.
    private long InOrder(long now) => _lastStoreMs = now >= _lastStoreMs ? now : NowMs;

    // Without the lock: others get their places meanwhile. They stand behind this one, so if it stays empty nothing is kept.
    private void Fill(in LogPlace place, in StoredMessageFields fields, in MessageBody body)
    {
        try
        {
            StoredMessageWriter.Write(place.Room, fields, body);
        }
        catch (Exception e)
        {
            Writer.Fail(e, place.Offset);
            throw;
        }
        finally
        {
            place.Filled();
        }
    }

    // Likewise.
    private void Fill(
        in LogPlace place,
        LogicQueue queue,
        in MessageAppend common,
        in ReadOnlySequence<byte> batchBody,
        long firstQueueOffset,
        long storeTimestampMs,
        List<long>? physicalOffsets)
    {
        try
        {
            BatchWriter.Write(place.Room, queue, common, batchBody, firstQueueOffset, place.Offset, storeTimestampMs, physicalOffsets);
        }
        catch (Exception e)
        {
            Writer.Fail(e, place.Offset);
            throw;
        }
        finally
        {
            place.Filled();
        }
    }

    // Whether there is room now.
    private bool TryWriteAppended()
    {
        try
        {
            Writer.WriteAppended();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private AppendStatus MeasureBatch(
        LogicQueue queue, in MessageAppend common, in ReadOnlySequence<byte> batchBody, out long bytes, out int count)
    {
        bytes = 0;
        count = 0;
        if (batchBody.Length > _options.MaxMessageBytes
            || MessageSysFlag.Transaction(common.SysFlag) != MessageSysFlag.TransactionNone)
        {
            return AppendStatus.MessageIllegal;
        }

        AppendStatus status = BatchWriter.Measure(queue, common, batchBody, out bytes, out count);
        return status == AppendStatus.Ok && bytes > LargestRecord ? AppendStatus.MessageIllegal : status;
    }
}
