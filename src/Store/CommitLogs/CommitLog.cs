using System.Buffers;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Statistics;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// The log that holds every message of the store, in the order of arrival: where each gets its place. What is appended gathers in memory
/// (<see cref="LogTail"/>), from where the <see cref="Writer"/> brings it into its file. One appender at a time; the flusher and readers
/// (<see cref="CommitLogReader"/>) need no lock of it. Whatever lies below <see cref="MaxOffset"/> is whole and can be read.
/// </summary>
internal sealed class CommitLog : IDisposable
{
    private readonly StoreOptions _options;
    private readonly RunningFlags _flags;
    private readonly StoreStatistics _statistics;
    private readonly TimeProvider _time;

    // Taken inside the writer's.
    private readonly Lock _appendLock = new();

    // Guarded by it.
    private readonly LogRoom _room;
    private readonly BatchWriter _batches = new();
    private readonly LogTail _tail;
    private CommitLogFile? _current;
    private bool _tailReserved = true;
    private int _mappingEpoch;
    private long _appendedOffset;

    public CommitLog(
        StoreOptions options, CommitLogFiles files, RunningFlags flags, StoreStatistics statistics, TimeProvider time, ILogger logger)
    {
        _options = options;
        _flags = flags;
        _statistics = statistics;
        _time = time;
        Files = files;
        _room = new LogRoom(files, time, logger);
        _tail = new LogTail(files);
        Writer = new LogWriter(files, _tail, _appendLock, flags, statistics, time, logger);
    }

    public CommitLogFiles Files { get; }

    /// <summary>Writes and flushes what was appended.</summary>
    public LogWriter Writer { get; }

    /// <summary>The end of what was appended: at or above <see cref="MaxOffset"/>.</summary>
    public long AppendedOffset => Volatile.Read(ref _appendedOffset);

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
        _current = Files.Find(offset);
        _tailReserved = reserved;
        Volatile.Write(ref _appendedOffset, offset);
        Writer.SetEnd(offset, flushedOffset);
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
        if (message.Body.Length > _options.MaxMessageBytes || bytes > LargestRecord)
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

                    Appended(1, total, offset + total);
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
                    Appended(count, total, end);
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

    // Finds the place for records, closing the current file and opening the next if need be. Null: what has gathered is to be written first.
    private AppendStatus? MakeRoom(LogicQueue queue, int bytes, out long offset, out Span<byte> destination)
    {
        offset = _appendedOffset;
        destination = default;
        if (!_flags.IsWritable)
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

            long nextBase = current?.EndOffset ?? offset - (offset % Files.FileBytes);
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
            Files.Prepare(current.EndOffset);
        }

        return _tail.TryReserve(current, bytes, out destination) ? AppendStatus.Ok : null;
    }

    // With the append lock held.
    private void Appended(int messages, int bytes, long endOffset)
    {
        _tail.Add(messages, bytes, endOffset);
        Volatile.Write(ref _appendedOffset, endOffset);
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
