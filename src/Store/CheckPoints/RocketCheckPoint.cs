using System.Buffers.Binary;
using GrayMQ.Store.Files;

namespace GrayMQ.Store.CheckPoints;

/// <summary>
/// RocketMQ's own check point, kept so that a store can be handed back: <c>checkpoint</c>, 4096 bytes, big-endian.
/// <code>
///  0 physicMsgTimestamp 8   store time of the last message flushed in the log, ms
///  8 logicsMsgTimestamp 8   … whose consume-queue entry is flushed
/// 16 indexMsgTimestamp  8   end time of the last index file that is full and flushed
/// 24 masterFlushedOffset 8  (replication)
/// 32 confirmPhyOffset   8   end of what consumers may see
/// </code>
/// </summary>
internal readonly record struct RocketCheckPoint(
    long LogTimestampMs, long QueueTimestampMs, long IndexTimestampMs, long MasterFlushedOffset, long ConfirmOffset)
{
    public const string FileName = "checkpoint";
    public const int FileBytes = 4096;

    private const int UsedBytes = 40;

    // RocketMQ takes off so much, because timestamps of neighbours in the log may be equal or slightly out of order.
    private const long SafetyMs = 3_000;

    /// <summary>Messages stored up to then need no second dispatch (RocketMQ: getMinTimestamp).</summary>
    public long SafeTimestampMs => Math.Max(0, Math.Min(LogTimestampMs, QueueTimestampMs) - SafetyMs);

    /// <summary>Reads the file; zeros if it is not there or too short.</summary>
    public static RocketCheckPoint Load(IStoreFileSystem fileSystem, string path)
    {
        if (!fileSystem.FileExists(path))
        {
            return default;
        }

        Span<byte> bytes = stackalloc byte[UsedBytes];
        using IStoreFile file = fileSystem.Open(path, create: false);
        return file.Read(0, bytes) < UsedBytes
            ? default
            : new RocketCheckPoint(
                BinaryPrimitives.ReadInt64BigEndian(bytes),
                BinaryPrimitives.ReadInt64BigEndian(bytes[8..]),
                BinaryPrimitives.ReadInt64BigEndian(bytes[16..]),
                BinaryPrimitives.ReadInt64BigEndian(bytes[24..]),
                BinaryPrimitives.ReadInt64BigEndian(bytes[32..]));
    }

    public void Save(IStoreFile file)
    {
        Span<byte> bytes = stackalloc byte[UsedBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, LogTimestampMs);
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], QueueTimestampMs);
        BinaryPrimitives.WriteInt64BigEndian(bytes[16..], IndexTimestampMs);
        BinaryPrimitives.WriteInt64BigEndian(bytes[24..], MasterFlushedOffset);
        BinaryPrimitives.WriteInt64BigEndian(bytes[32..], ConfirmOffset);
        file.Write(0, bytes);
        file.Flush();
    }
}
