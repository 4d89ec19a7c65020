using System.Buffers.Binary;

namespace GrayMQ.Store.ConsumeQueues;

/// <summary>
/// One entry of a consume queue; entry n stands at byte 20*n.
/// <code>
/// 8 physical offset | 4 size | 8 tags code      (big-endian)
/// </code>
/// A queue that begins later than the file it begins in is filled up before its first entry with (0, 2^31-1, 0)
/// (RocketMQ: ConsumeQueue.fillPreBlank).
/// </summary>
/// <param name="PhysicalOffset">Where the message stands in the commit log, bytes.</param>
/// <param name="Size">Of its record, bytes; 0 where nothing was written.</param>
/// <param name="TagsCode">See TagsCode; for delayed messages the delivery time in ms.</param>
public readonly record struct ConsumeQueueEntry(long PhysicalOffset, int Size, long TagsCode)
{
    public const int Bytes = 20;

    /// <summary>Stands before the first entry of a queue, and where a message was lost.</summary>
    public static ConsumeQueueEntry Blank => new(0, int.MaxValue, 0);

    public bool IsBlank => PhysicalOffset == 0 && Size == int.MaxValue;

    /// <summary>Something was written here.</summary>
    public bool IsWritten => PhysicalOffset >= 0 && Size > 0;

    public long EndOffset => PhysicalOffset + Size;

    public static ConsumeQueueEntry Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt64BigEndian(source),
        BinaryPrimitives.ReadInt32BigEndian(source[8..]),
        BinaryPrimitives.ReadInt64BigEndian(source[12..]));

    public void WriteTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt64BigEndian(destination, PhysicalOffset);
        BinaryPrimitives.WriteInt32BigEndian(destination[8..], Size);
        BinaryPrimitives.WriteInt64BigEndian(destination[12..], TagsCode);
    }
}
