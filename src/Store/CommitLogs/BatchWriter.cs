using System.Buffers;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Store.CommitLogs;

/// <summary>
/// Turns a batch body (<see cref="BatchBodyReader"/>) into records of the log: each has a flag, a body and properties of its
/// own, the rest from what the batch has in common, whose properties follow each message's.
/// </summary>
internal static class BatchWriter
{
    /// <summary>How many records there are, and how many bytes they take; anything but Ok if the batch cannot be stored.</summary>
    public static AppendStatus Measure(
        LogicQueue queue, in MessageAppend common, in ReadOnlySequence<byte> batchBody, out long bytes, out int count)
    {
        bytes = 0;
        count = 0;
        var none = new StoredMessageFields
        {
            Topic = queue.TopicUtf8,
            SysFlag = common.SysFlag,
            BornHost = common.BornHost,
            StoreHost = common.StoreHost,
        };
        long fixedBytes = StoredMessageWriter.RecordBytes(none, 0);
        var reader = new BatchBodyReader(batchBody);
        while (reader.MoveNext())
        {
            BatchRecord record = reader.Current;
            long properties = record.Properties.Length + common.Properties.Length
                + (NeedsSeparator(record.Properties, common.Properties) ? 1 : 0);
            if (properties > MessagePropertiesCodec.MaxBytes)
            {
                return AppendStatus.PropertiesSizeExceeded;
            }

            bytes += fixedBytes + record.Body.Length + properties;
            count++;
        }

        return reader.IsMalformed || count == 0 ? AppendStatus.MessageIllegal : AppendStatus.Ok;
    }

    /// <summary>
    /// Writes the records of a measured batch, one behind the other from <paramref name="offset"/> on, which
    /// <paramref name="destination"/> stands for; where each begins is added to <paramref name="physicalOffsets"/>.
    /// </summary>
    public static void Write(
        Span<byte> destination,
        LogicQueue queue,
        in MessageAppend common,
        in ReadOnlySequence<byte> batchBody,
        long queueOffset,
        long offset,
        long storeTimestampMs,
        List<long>? physicalOffsets)
    {
        byte[] properties = ArrayPool<byte>.Shared.Rent(MessagePropertiesCodec.MaxBytes);
        var reader = new BatchBodyReader(batchBody);
        while (reader.MoveNext())
        {
            BatchRecord record = reader.Current;
            int propertiesBytes = JoinProperties(record.Properties, common.Properties, properties);
            var fields = new StoredMessageFields
            {
                Topic = queue.TopicUtf8,
                Properties = properties.AsSpan(0, propertiesBytes),
                QueueId = queue.QueueId,
                Flag = record.Flag,
                QueueOffset = queueOffset++,
                PhysicalOffset = offset,
                SysFlag = common.SysFlag,
                BornTimestampMs = common.BornTimestampMs,
                BornHost = common.BornHost,
                StoreTimestampMs = storeTimestampMs,
                StoreHost = common.StoreHost,
                ReconsumeTimes = common.ReconsumeTimes,
            };
            int written = StoredMessageWriter.Write(destination, fields, record.Body);
            physicalOffsets?.Add(offset);
            destination = destination[written..];
            offset += written;
        }

        ArrayPool<byte>.Shared.Return(properties);
    }

    private static bool NeedsSeparator(in ReadOnlySequence<byte> first, ReadOnlySpan<byte> second) =>
        !first.IsEmpty && !second.IsEmpty
        && first.Slice(first.Length - 1).FirstSpan[0] != MessagePropertiesCodec.PropertySeparator;

    private static int JoinProperties(in ReadOnlySequence<byte> first, ReadOnlySpan<byte> second, Span<byte> destination)
    {
        first.CopyTo(destination);
        int length = (int)first.Length;
        if (NeedsSeparator(first, second))
        {
            destination[length++] = MessagePropertiesCodec.PropertySeparator;
        }

        second.CopyTo(destination[length..]);
        return length + second.Length;
    }
}
