using System.Buffers.Binary;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// The fields of a record that is to be written; spans are only borrowed for the call. For each message one is filled in where it is, field by
/// field: what an initializer makes is made elsewhere and copied, and to copy what has just been written costs more than to write it.
/// </summary>
public ref struct StoredMessageFields
{
    public ReadOnlySpan<byte> Topic { get; set; }

    /// <summary>Encoded properties (<see cref="MessagePropertiesCodec"/>).</summary>
    public ReadOnlySpan<byte> Properties { get; set; }

    public int QueueId { get; set; }

    public int Flag { get; set; }

    public long QueueOffset { get; set; }

    public long PhysicalOffset { get; set; }

    /// <summary>The two host bits are set from the hosts; what is given for them does not matter.</summary>
    public int SysFlag { get; set; }

    public long BornTimestampMs { get; set; }

    public MessageHost BornHost { get; set; }

    public long StoreTimestampMs { get; set; }

    public MessageHost StoreHost { get; set; }

    public int ReconsumeTimes { get; set; }

    public long PreparedTransactionOffset { get; set; }
}

/// <summary>Writes commit-log records (drawing: <see cref="StoredMessage"/>).</summary>
public static class StoredMessageWriter
{
    // Small enough that a chunk is still in the first-level cache when its CRC is taken.
    private const int ChunkBytes = 16 * 1024;

    /// <summary>The system flag with the host bits that fit the hosts.</summary>
    public static int WithHostBits(int sysFlag, in MessageHost bornHost, in MessageHost storeHost) =>
        (sysFlag & ~(MessageSysFlag.BornHostV6 | MessageSysFlag.StoreHostV6))
        | (bornHost.IsV6 ? MessageSysFlag.BornHostV6 : 0)
        | (storeHost.IsV6 ? MessageSysFlag.StoreHostV6 : 0);

    /// <summary>Bytes that <see cref="Write"/> will need; beyond <see cref="int.MaxValue"/> there is no such record.</summary>
    public static long RecordBytes(in StoredMessageFields fields, long bodyBytes) =>
        StoredMessageLayout.RecordBytes(
            StoredMessageLayout.MagicFor(fields.Topic.Length),
            WithHostBits(fields.SysFlag, fields.BornHost, fields.StoreHost),
            bodyBytes,
            fields.Topic.Length,
            fields.Properties.Length);

    /// <summary>
    /// Writes one record into the start of <paramref name="destination"/> and returns its size. The body is copied and
    /// summed in one pass.
    /// </summary>
    public static int Write(Span<byte> destination, in StoredMessageFields fields, in MessageBody body)
    {
        int topicLength = fields.Topic.Length;
        int propertiesLength = fields.Properties.Length;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(topicLength, StoredMessageLayout.MaxTopicBytesV2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(propertiesLength, MessagePropertiesCodec.MaxBytes);

        int total = checked((int)RecordBytes(fields, body.Length));
        Span<byte> record = destination[..total];
        int magic = StoredMessageLayout.MagicFor(topicLength);

        BinaryPrimitives.WriteInt32BigEndian(record, total);
        BinaryPrimitives.WriteInt32BigEndian(record[StoredMessageLayout.MagicPosition..], magic);
        BinaryPrimitives.WriteInt32BigEndian(record[StoredMessageLayout.QueueIdPosition..], fields.QueueId);
        BinaryPrimitives.WriteInt32BigEndian(record[StoredMessageLayout.FlagPosition..], fields.Flag);
        BinaryPrimitives.WriteInt64BigEndian(record[StoredMessageLayout.QueueOffsetPosition..], fields.QueueOffset);
        BinaryPrimitives.WriteInt64BigEndian(record[StoredMessageLayout.PhysicalOffsetPosition..], fields.PhysicalOffset);
        BinaryPrimitives.WriteInt32BigEndian(
            record[StoredMessageLayout.SysFlagPosition..],
            WithHostBits(fields.SysFlag, fields.BornHost, fields.StoreHost));
        BinaryPrimitives.WriteInt64BigEndian(
            record[StoredMessageLayout.BornTimestampPosition..], fields.BornTimestampMs);

        int position = StoredMessageLayout.BornHostPosition;
        position += fields.BornHost.WriteTo(record[position..]);
        BinaryPrimitives.WriteInt64BigEndian(record[position..], fields.StoreTimestampMs);
        position += 8;
        position += fields.StoreHost.WriteTo(record[position..]);
        BinaryPrimitives.WriteInt32BigEndian(record[position..], fields.ReconsumeTimes);
        position += 4;
        BinaryPrimitives.WriteInt64BigEndian(record[position..], fields.PreparedTransactionOffset);
        position += 8;
        BinaryPrimitives.WriteInt32BigEndian(record[position..], (int)body.Length);
        position += 4;

        int bodyCrc = CopyBody(body, record[position..]);
        BinaryPrimitives.WriteInt32BigEndian(record[StoredMessageLayout.BodyCrcPosition..], bodyCrc);
        position += (int)body.Length;

        if (magic == StoredMessageLayout.MagicV2)
        {
            BinaryPrimitives.WriteInt16BigEndian(record[position..], (short)topicLength);
            position += 2;
        }
        else
        {
            record[position++] = (byte)topicLength;
        }

        fields.Topic.CopyTo(record[position..]);
        position += topicLength;
        BinaryPrimitives.WriteInt16BigEndian(record[position..], (short)propertiesLength);
        position += 2;
        fields.Properties.CopyTo(record[position..]);
        return total;
    }

    /// <summary>Writes the head of the filler that closes a commit-log file with <paramref name="remainingBytes"/> left.</summary>
    public static void WriteBlank(Span<byte> destination, int remainingBytes)
    {
        BinaryPrimitives.WriteInt32BigEndian(destination[StoredMessageLayout.MagicPosition..], StoredMessageLayout.MagicBlank);
        BinaryPrimitives.WriteInt32BigEndian(destination, remainingBytes);
    }

    private static int CopyBody(in MessageBody body, Span<byte> destination)
    {
        uint crc = 0;
        foreach (ReadOnlySpan<byte> piece in body)
        {
            ReadOnlySpan<byte> source = piece;
            while (!source.IsEmpty)
            {
                int length = Math.Min(source.Length, ChunkBytes);
                // Of the source: what was just copied would have to be waited for.
                crc = Crc32.Append(crc, source[..length]);
                source[..length].CopyTo(destination);
                source = source[length..];
                destination = destination[length..];
            }
        }

        return Crc32.ToBodyCrc(crc);
    }
}
