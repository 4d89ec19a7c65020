using System.Buffers.Binary;
using System.Text;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// The entries of the family <c>halves</c>: a byte that says what it is, then numbers (<see cref="KeyWriter"/>). Numbers in values are
/// big endian.
/// <code>
/// key                        value
/// 'h' root                   physicalOffset 8 | queueOffset 8 | storedMs 8 | dueMs 8 | checks 4 | topic, UTF-8
/// 'd' dueMs root             -                       when to look at it
/// 'q' queueOffset            root 8                  by the last record's place in the queue of half messages
/// 'c' physicalOffset         root 8                  by the last record, where that is not the root
/// 'o' queueOffset            -                       ended, and no operation record says so yet
/// 'p' operation's offset     queueOffset 8           the greatest queue offset that an operation record names
/// 'e' recordEnd root         as with 'h'             ended by a record that the disk may not have
/// 'f'                        physicalOffset 8        everything behind has been shown to this database
/// </code>
/// </summary>
internal static class HalfMessageCodec
{
    public const byte HalfKind = (byte)'h';
    public const byte DueKind = (byte)'d';
    public const byte QueueKind = (byte)'q';
    public const byte CurrentKind = (byte)'c';
    public const byte OwedKind = (byte)'o';
    public const byte OperationKind = (byte)'p';
    public const byte EndedKind = (byte)'e';
    public const byte FirstKind = (byte)'f';

    /// <summary>Bytes that hold every key.</summary>
    public const int MaxKeyBytes = 1 + (2 * sizeof(long));

    private const int FixedBytes = (4 * sizeof(long)) + sizeof(int);

    public static ReadOnlySpan<byte> Key(Span<byte> buffer, byte kind, long number) =>
        new KeyWriter(buffer).Byte(kind).Int64(number).Key;

    public static ReadOnlySpan<byte> DueKey(Span<byte> buffer, long dueMs, long root) =>
        new KeyWriter(buffer).Byte(DueKind).Int64(dueMs).Int64(root).Key;

    /// <param name="recordEnd">Where the record ends that has ended the transaction.</param>
    public static ReadOnlySpan<byte> EndedKey(Span<byte> buffer, long recordEnd, long root) =>
        new KeyWriter(buffer).Byte(EndedKind).Int64(recordEnd).Int64(root).Key;

    /// <summary>The number behind the kind.</summary>
    public static long NumberOf(ReadOnlySpan<byte> key)
    {
        var reader = new KeyReader(key);
        reader.Byte();
        return reader.Int64();
    }

    /// <summary>The root in a key of <see cref="DueKind"/> or <see cref="EndedKind"/>.</summary>
    public static long RootOf(ReadOnlySpan<byte> key)
    {
        var reader = new KeyReader(key);
        reader.Byte();
        reader.Int64();
        return reader.Int64();
    }

    public static byte[] Encode(in HalfMessage half)
    {
        byte[] value = new byte[FixedBytes + Encoding.UTF8.GetByteCount(half.Topic.Name)];
        BinaryPrimitives.WriteInt64BigEndian(value, half.PhysicalOffset);
        BinaryPrimitives.WriteInt64BigEndian(value.AsSpan(8), half.QueueOffset);
        BinaryPrimitives.WriteInt64BigEndian(value.AsSpan(16), half.StoredMs);
        BinaryPrimitives.WriteInt64BigEndian(value.AsSpan(24), half.DueMs);
        BinaryPrimitives.WriteInt32BigEndian(value.AsSpan(32), half.Checks);
        Encoding.UTF8.GetBytes(half.Topic.Name, value.AsSpan(FixedBytes));
        return value;
    }

    /// <exception cref="InvalidDataException">The value is none that <see cref="Encode"/> makes.</exception>
    public static HalfMessage Decode(long root, ReadOnlySpan<byte> value, HalfTopics topics)
    {
        if (value.Length < FixedBytes)
        {
            throw new InvalidDataException($"the half message at {root} is known by {value.Length} bytes, expected {FixedBytes} at least");
        }

        return new HalfMessage(
            root,
            BinaryPrimitives.ReadInt64BigEndian(value),
            BinaryPrimitives.ReadInt64BigEndian(value[8..]),
            BinaryPrimitives.ReadInt64BigEndian(value[16..]),
            BinaryPrimitives.ReadInt64BigEndian(value[24..]),
            BinaryPrimitives.ReadInt32BigEndian(value[32..]),
            topics.Get(value[FixedBytes..]));
    }
}
