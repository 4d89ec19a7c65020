using System.Buffers.Binary;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Indexes;

namespace GrayMQ.Store.CheckPoints;

/// <summary>
/// How far the store is durable as a whole: the log, every queue and the index, up to <see cref="Offset"/>. What lies below
/// is not looked at again by the next start. Kept in <c>graymq.progress</c>, which RocketMQ does not know: two places of
/// 512 bytes, written in turn, so that a torn write leaves the other. Big-endian.
/// <code>
///  0 magic            4   0x47505232 "GPR2"
///  4 crc              4   of bytes 8 to 72
///  8 sequence         8   the greater of two whole records counts
/// 16 offset           8   physical offset
/// 24 lastRecord       8   where the record that ends at offset begins; -1 for none
/// 32 lastStoreTime    8   ms, of that record
/// 40 indexFile        8   name of the last index file as a number; 0 for none
/// 48 indexCount       4   of that file
/// 52 flags            4   (none yet)
/// 56 minOffset        8   of the log
/// 64 logFileSize      4   bytes of a commit-log file
/// 68 queueFileSize    4   bytes of a consume-queue file
/// </code>
/// A record "GPR1" is one without the sizes: it ends, and its crc with it, at byte 64.
/// </summary>
internal readonly record struct ProgressRecord(
    long Sequence,
    long Offset,
    long LastRecordOffset,
    long LastStoreTimestampMs,
    IndexPosition Index,
    long MinOffset,
    StoreFileSizes FileSizes)
{
    public const int SlotBytes = 512;

    private const int Magic = 0x47505232;
    private const int UsedBytes = 72;
    private const int MagicWithoutSizes = 0x47505231;
    private const int UsedBytesWithoutSizes = 64;
    private const int CheckedFrom = 8;

    public static bool TryRead(ReadOnlySpan<byte> slot, out ProgressRecord record)
    {
        record = default;
        if (slot.Length < UsedBytes)
        {
            return false;
        }

        int usedBytes = BinaryPrimitives.ReadInt32BigEndian(slot) switch
        {
            Magic => UsedBytes,
            MagicWithoutSizes => UsedBytesWithoutSizes,
            _ => 0,
        };
        if (usedBytes == 0 || BinaryPrimitives.ReadUInt32BigEndian(slot[4..]) != Crc32.Compute(slot[CheckedFrom..usedBytes]))
        {
            return false;
        }

        record = new ProgressRecord(
            BinaryPrimitives.ReadInt64BigEndian(slot[8..]),
            BinaryPrimitives.ReadInt64BigEndian(slot[16..]),
            BinaryPrimitives.ReadInt64BigEndian(slot[24..]),
            BinaryPrimitives.ReadInt64BigEndian(slot[32..]),
            new IndexPosition(
                BinaryPrimitives.ReadInt64BigEndian(slot[40..]),
                BinaryPrimitives.ReadInt32BigEndian(slot[48..])),
            BinaryPrimitives.ReadInt64BigEndian(slot[56..]),
            usedBytes == UsedBytesWithoutSizes
                ? default
                : new StoreFileSizes(
                    BinaryPrimitives.ReadInt32BigEndian(slot[64..]), BinaryPrimitives.ReadInt32BigEndian(slot[68..])));
        return true;
    }

    public void WriteTo(Span<byte> slot)
    {
        slot.Clear();
        BinaryPrimitives.WriteInt32BigEndian(slot, Magic);
        BinaryPrimitives.WriteInt64BigEndian(slot[8..], Sequence);
        BinaryPrimitives.WriteInt64BigEndian(slot[16..], Offset);
        BinaryPrimitives.WriteInt64BigEndian(slot[24..], LastRecordOffset);
        BinaryPrimitives.WriteInt64BigEndian(slot[32..], LastStoreTimestampMs);
        BinaryPrimitives.WriteInt64BigEndian(slot[40..], Index.FileName);
        BinaryPrimitives.WriteInt32BigEndian(slot[48..], Index.Count);
        BinaryPrimitives.WriteInt64BigEndian(slot[56..], MinOffset);
        BinaryPrimitives.WriteInt32BigEndian(slot[64..], FileSizes.CommitLogFileBytes);
        BinaryPrimitives.WriteInt32BigEndian(slot[68..], FileSizes.ConsumeQueueFileBytes);
        BinaryPrimitives.WriteUInt32BigEndian(slot[4..], Crc32.Compute(slot[CheckedFrom..UsedBytes]));
    }
}
