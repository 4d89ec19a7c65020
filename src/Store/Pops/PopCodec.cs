using System.Buffers.Binary;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Pops;

/// <summary>
/// Check points as they stand in RocksDB. Numbers in values are little endian; keys are as <see cref="KeyWriter"/> writes them.
/// <code>
/// family       key                                                    value
/// pops         group text, topic text, queue id 4,                    version 1, flags 1 (1: put off), count 1, unacked 4,
///              start offset 8, pop time 8                             invisible ms 8, due ms 8, count × distance 4 (none: no gaps)
/// popOffsets   group text, topic text, queue id 4                     next offset 8
/// popOrders    group text, topic text, queue id 4                     version 1, count 1, unacked 4, pop time 8, invisible ms 8,
///                                                                     attempt length 2, acked beyond 2, attempt id,
///                                                                     count × (offset 8, visible ms 8, deliveries 4), beyond × 8
/// progress     "popRevival"                                           see PopRevivals.Announce
/// </code>
/// </summary>
internal static class PopCodec
{
    /// <summary>Longest text in a key, UTF-8 bytes: more than a group's or topic's name may have.</summary>
    public const int MaxNameBytes = 480;

    public const int MaxTopicKeyBytes = (2 * MaxNameBytes) + 2;

    public const int MaxCheckPointBytes = FixedBytes + (PopCheckPoint.MaxMessages * sizeof(int));

    /// <summary>An attempt id longer than this is none (RocketMQ's clients send a UUID).</summary>
    public const int MaxAttemptBytes = 256;

    private const byte Version = 1;
    private const byte PutOff = 1;
    private const int FixedBytes = 1 + 1 + 1 + 4 + 8 + 8;
    private const int OrderFixedBytes = 1 + 1 + 4 + 8 + 8 + 2 + 2;
    private const int OrderMessageBytes = 8 + 8 + 4;
    private const int IdBytes = 8 + 8;

    /// <summary>Length of the first part of all keys of a topic that a group pops; 0 when a name is none.</summary>
    public static int WriteTopicKey(ReadOnlySpan<byte> group, ReadOnlySpan<byte> topic, Span<byte> key)
    {
        if (group.Length is 0 or > MaxNameBytes || topic.Length is 0 or > MaxNameBytes || group.Contains((byte)0) || topic.Contains((byte)0))
        {
            return 0;
        }

        return new KeyWriter(key).Text(group).Text(topic).Key.Length;
    }

    public static ReadOnlySpan<byte> WriteKey(PopQueue queue, CheckPointId id, Span<byte> buffer)
    {
        queue.Key.CopyTo(buffer);
        int length = new KeyWriter(buffer[queue.Key.Length..]).Int64(id.StartOffset).Int64(id.PopTimeMs).Key.Length;
        return buffer[..(queue.Key.Length + length)];
    }

    /// <summary>Takes a key of any family apart; the id is default where the key ends with the queue.</summary>
    public static void ReadKey(
        ReadOnlySpan<byte> key, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> topic, out int queueId, out CheckPointId id)
    {
        var reader = new KeyReader(key);
        group = reader.Utf8();
        topic = reader.Utf8();
        queueId = reader.Int32();
        id = reader.AtEnd ? default : new CheckPointId(reader.Int64(), reader.Int64());
    }

    public static ReadOnlySpan<byte> Write(PopCheckPoint checkPoint, uint unacked, long dueMs, bool putOff, Span<byte> buffer)
    {
        buffer[0] = Version;
        buffer[1] = putOff ? PutOff : (byte)0;
        buffer[2] = (byte)checkPoint.Count;
        BinaryPrimitives.WriteUInt32LittleEndian(buffer[3..], unacked);
        BinaryPrimitives.WriteInt64LittleEndian(buffer[7..], checkPoint.InvisibleMs);
        BinaryPrimitives.WriteInt64LittleEndian(buffer[15..], dueMs);
        int at = FixedBytes;
        foreach (int distance in checkPoint.Distances.AsSpan())
        {
            BinaryPrimitives.WriteInt32LittleEndian(buffer[at..], distance);
            at += sizeof(int);
        }

        return buffer[..at];
    }

    /// <exception cref="InvalidDataException">The value cannot be one that was written here.</exception>
    public static PopCheckPoint Read(PopQueue queue, CheckPointId id, ReadOnlySpan<byte> value, out long dueMs)
    {
        int count = value.Length < FixedBytes || value[0] != Version ? 0 : value[2];
        bool gapless = value.Length == FixedBytes;
        if (count is 0 or > PopCheckPoint.MaxMessages || (!gapless && value.Length != FixedBytes + (count * sizeof(int))))
        {
            throw new InvalidDataException($"the check point {id} of queue {queue} has {value.Length} bytes that make no sense");
        }

        int[]? distances = null;
        if (!gapless)
        {
            distances = new int[count];
            for (int i = 0; i < count; i++)
            {
                distances[i] = BinaryPrimitives.ReadInt32LittleEndian(value[(FixedBytes + (i * sizeof(int)))..]);
            }
        }

        uint unacked = BinaryPrimitives.ReadUInt32LittleEndian(value[3..]) & PopCheckPoint.AllOf(count);
        dueMs = BinaryPrimitives.ReadInt64LittleEndian(value[15..]);
        return new PopCheckPoint(
            queue, id, count, distances, unacked, BinaryPrimitives.ReadInt64LittleEndian(value[7..]))
        {
            IsPutOff = (value[1] & PutOff) != 0,
        };
    }

    public static byte[] Write(OrderedBatch batch)
    {
        var value = new byte[
            OrderFixedBytes + batch.AttemptId.Length + (batch.Offsets.Length * OrderMessageBytes) + (batch.AckedBeyond.Length * sizeof(long))];
        value[0] = Version;
        value[1] = (byte)batch.Offsets.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(2), batch.Unacked);
        BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(6), batch.PopTimeMs);
        BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(14), batch.InvisibleMs);
        BinaryPrimitives.WriteUInt16LittleEndian(value.AsSpan(22), (ushort)batch.AttemptId.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(value.AsSpan(24), (ushort)batch.AckedBeyond.Length);
        batch.AttemptId.CopyTo(value.AsSpan(OrderFixedBytes));
        int at = OrderFixedBytes + batch.AttemptId.Length;
        for (int i = 0; i < batch.Offsets.Length; i++, at += OrderMessageBytes)
        {
            BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(at), batch.Offsets[i]);
            BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(at + 8), batch.VisibleMs[i]);
            BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(at + 16), batch.Deliveries[i]);
        }

        foreach (long acked in batch.AckedBeyond)
        {
            BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(at), acked);
            at += sizeof(long);
        }

        return value;
    }

    /// <exception cref="InvalidDataException">The value cannot be one that was written here.</exception>
    public static OrderedBatch Read(PopQueue queue, ReadOnlySpan<byte> value)
    {
        int count = value.Length < OrderFixedBytes || value[0] != Version ? 0 : value[1];
        int attemptBytes = count == 0 ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(value[22..]);
        int beyond = count == 0 ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(value[24..]);
        if (count is 0 or > PopCheckPoint.MaxMessages
            || value.Length != OrderFixedBytes + attemptBytes + (count * OrderMessageBytes) + (beyond * sizeof(long)))
        {
            throw new InvalidDataException($"the orderly batch of queue {queue} has {value.Length} bytes that make no sense");
        }

        var offsets = new long[count];
        var visible = new long[count];
        var deliveries = new int[count];
        int at = OrderFixedBytes + attemptBytes;
        for (int i = 0; i < count; i++, at += OrderMessageBytes)
        {
            offsets[i] = BinaryPrimitives.ReadInt64LittleEndian(value[at..]);
            visible[i] = BinaryPrimitives.ReadInt64LittleEndian(value[(at + 8)..]);
            deliveries[i] = BinaryPrimitives.ReadInt32LittleEndian(value[(at + 16)..]);
        }

        var ackedBeyond = new long[beyond];
        for (int i = 0; i < beyond; i++, at += sizeof(long))
        {
            ackedBeyond[i] = BinaryPrimitives.ReadInt64LittleEndian(value[at..]);
        }

        return new OrderedBatch(
            queue,
            value.Slice(OrderFixedBytes, attemptBytes).ToArray(),
            BinaryPrimitives.ReadInt64LittleEndian(value[6..]),
            BinaryPrimitives.ReadInt64LittleEndian(value[14..]),
            offsets,
            visible,
            deliveries,
            BinaryPrimitives.ReadUInt32LittleEndian(value[2..]) & PopCheckPoint.AllOf(count),
            ackedBeyond);
    }

    /// <summary>Bytes of the longest key.</summary>
    public const int MaxKeyBytes = MaxTopicKeyBytes + sizeof(int) + IdBytes;
}
