using System.Buffers;
using System.Buffers.Binary;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.ConsumeQueues;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Recovering;

/// <summary>
/// Walks the commit log record by record and finds its end. A record counts if its magic code, its lengths, its own
/// physical offset and (where asked for) the CRC of its body are right.
/// </summary>
internal sealed class LogWalk(StoreOptions options, CommitLogFiles files, ILogger logger)
{
    private const int PageBytes = 4096;

    /// <summary>
    /// A damaged stretch is searched this far for a whole record behind it: a damaged record is no longer than the largest
    /// message with its properties.
    /// </summary>
    private int SearchBytes => (int)Math.Min(options.MaxMessageBytes + (256L * 1024), int.MaxValue);

    /// <summary>Is there a whole record at this offset?</summary>
    public bool IsRecord(long offset, bool checkCrc, out int size, out long storeTimestampMs)
    {
        size = 0;
        storeTimestampMs = 0;
        if (files.Find(offset) is not { } file
            || Read(file, offset, out StoredMessage message) != StoredMessageStatus.Message
            || (checkCrc && !message.BodyCrcMatches()))
        {
            return false;
        }

        size = message.TotalSize;
        storeTimestampMs = message.StoreTimestampMs;
        return true;
    }

    /// <summary>Is this entry's message what it says: a record of that size, of this queue, with this queue offset?</summary>
    public bool IsMessageOf(long offset, int size, LogicQueue queue, long queueOffset) =>
        files.Find(offset) is { } file
        && Read(file, offset, out StoredMessage message) == StoredMessageStatus.Message
        && message.TotalSize == size
        && message.QueueId == queue.QueueId
        && message.QueueOffset == queueOffset
        && message.Topic.SequenceEqual(queue.TopicUtf8);

    /// <summary>Reads the record at an offset of a file; a record that names another offset is malformed.</summary>
    public static StoredMessageStatus Read(CommitLogFile file, long offset, out StoredMessage message)
    {
        int position = (int)(offset - file.BaseOffset);
        if (file.Length - position < StoredMessageLayout.BlankHeaderBytes)
        {
            message = default;
            return StoredMessageStatus.Malformed;
        }

        StoredMessageStatus status = StoredMessage.Read(file.Memory.Span(position, file.Length - position), out message);
        return status == StoredMessageStatus.Message
            && (message.PhysicalOffset != offset || IsTorn(message, position, file.FoundLength))
                ? StoredMessageStatus.Malformed
                : status;
    }

    // No CRC covers the properties. They are torn if the file ended within them, or if they are zeros from a page's
    // beginning on: then that page never got to the disk.
    private static bool IsTorn(in StoredMessage message, int position, int foundLength)
    {
        int end = position + message.TotalSize;
        if (end > foundLength)
        {
            return true;
        }

        int onLastPage = end & (PageBytes - 1);
        return onLastPage > 0
            && onLastPage < message.Properties.Length
            && !message.Properties[^onLastPage..].ContainsAnyExcept((byte)0);
    }

    /// <summary>
    /// The next whole record behind a damaged one: within reach in the same file, else at the beginning of the next file. -1 if
    /// there is none: the log ends here. What seems to begin within the smallest record's length is part of the damaged one.
    /// </summary>
    public long FindRecordBehind(long damaged)
    {
        long from = damaged + StoredMessageLayout.MinRecordBytes;
        if (files.Find(damaged) is { } file && from < file.EndOffset)
        {
            // Magic codes differ in their last byte only.
            ReadOnlySpan<byte> magic = stackalloc byte[] { 0xDA, 0xA3, 0x20 };
            int start = (int)(from - file.BaseOffset);
            int end = (int)Math.Min((long)start + SearchBytes, file.Length);
            ReadOnlySpan<byte> bytes = file.Memory.Span(start, end - start);
            int searched = 0;
            while (searched < bytes.Length)
            {
                int hit = bytes[searched..].IndexOf(magic);
                if (hit < 0)
                {
                    break;
                }

                int position = searched + hit - StoredMessageLayout.MagicPosition;
                if (position >= 0 && IsRecord(from + position, checkCrc: true, out _, out _))
                {
                    return from + position;
                }

                searched += hit + 1;
            }
        }

        long nextBase = damaged - (damaged % files.FileBytes) + files.FileBytes;
        while (nextBase < (files.Last?.EndOffset ?? 0))
        {
            if (IsRecord(nextBase, checkCrc: true, out _, out _))
            {
                return nextBase;
            }

            nextBase += files.FileBytes;
        }

        return -1;
    }

    /// <summary>
    /// Makes the log walkable over a damaged stretch, for us and for RocketMQ. Up to the end of a file that is a filler; within
    /// a file the stretch becomes the body of a record that no queue and no index takes (a rolled-back one), so that its
    /// bytes are kept and nothing is made up. The stretch begins at a record and ends before one, so it is long enough.
    /// </summary>
    public void Bridge(long from, long to, long storeTimestampMs)
    {
        CommitLogFile file = files.Find(from)!;
        int position = (int)(from - file.BaseOffset);
        if (to >= file.EndOffset)
        {
            StoredMessageWriter.WriteBlank(
                file.Memory.Span(position, StoredMessageLayout.BlankHeaderBytes), file.Length - position);
            return;
        }

        int length = (int)(to - from);
        var fields = new StoredMessageFields
        {
            Topic = "GRAYMQ_DAMAGED"u8,
            SysFlag = MessageSysFlag.TransactionRollback,
            PhysicalOffset = from,
            StoreTimestampMs = storeTimestampMs,
            BornTimestampMs = storeTimestampMs,
        };
        int overhead = (int)StoredMessageWriter.RecordBytes(fields, 0);
        Span<byte> stretch = file.Memory.Span(position, length);
        if (length < overhead)
        {
            fields = new StoredMessageFields
            {
                SysFlag = MessageSysFlag.TransactionRollback,
                PhysicalOffset = from,
                StoreTimestampMs = storeTimestampMs,
                BornTimestampMs = storeTimestampMs,
            };
            overhead = (int)StoredMessageWriter.RecordBytes(fields, 0);
        }

        byte[] body = stretch[..(length - overhead)].ToArray();
        StoredMessageWriter.Write(stretch, fields, new ReadOnlySequence<byte>(body));
        Log.DamageBridged(logger, from, to);
    }

    /// <summary>Is nothing written from an offset to the end of its first page? (A look, not a proof.)</summary>
    public bool LooksEmpty(long offset)
    {
        if (files.Find(offset) is not { } file)
        {
            return true;
        }

        int position = (int)(offset - file.BaseOffset);
        int length = Math.Min(StoredMessageLayout.BlankHeaderBytes, file.Length - position);
        return !file.Memory.Span(position, length).ContainsAnyExcept((byte)0);
    }

    /// <summary>The store timestamp of a file's first record; 0 if it does not begin with one.</summary>
    public static long FirstTimestampMs(CommitLogFile file) =>
        Read(file, file.BaseOffset, out StoredMessage message) == StoredMessageStatus.Message
            ? message.StoreTimestampMs
            : 0;

    /// <summary>What a record says of its size, whether it can be true or not: for the log line.</summary>
    public int ClaimedSize(long offset) =>
        files.Find(offset) is { } file && file.EndOffset - offset >= 4
            ? BinaryPrimitives.ReadInt32BigEndian(file.Memory.Span((int)(offset - file.BaseOffset), 4))
            : 0;
}
