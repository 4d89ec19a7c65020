using System.Buffers.Binary;
using System.Numerics;
using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Store.Answers;

/// <summary>
/// An answer as it is kept; the check covers the entry of the consume queue as well, so that an answer is only ever believed of the very
/// message that it was given for, whatever a crash has left.
/// <code>
/// 4 check: CRC-32C of the 20 bytes of the queue's entry and of the answer | answer
/// </code>
/// </summary>
internal static class AnswerRecord
{
    public const int CheckBytes = sizeof(uint);

    public static void Write(Span<byte> destination, in ConsumeQueueEntry entry, ReadOnlySpan<byte> answer)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination, Check(entry, answer));
        answer.CopyTo(destination[CheckBytes..]);
    }

    /// <summary>The answer of a record; empty when it is none, or another message's.</summary>
    public static ReadOnlySpan<byte> Read(ReadOnlySpan<byte> record, in ConsumeQueueEntry entry)
    {
        ReadOnlySpan<byte> answer = record[CheckBytes..];
        return BinaryPrimitives.ReadUInt32BigEndian(record) == Check(entry, answer) ? answer : default;
    }

    private static uint Check(in ConsumeQueueEntry entry, ReadOnlySpan<byte> answer)
    {
        uint crc = BitOperations.Crc32C(uint.MaxValue, (ulong)entry.PhysicalOffset);
        crc = BitOperations.Crc32C(crc, (uint)entry.Size);
        crc = BitOperations.Crc32C(crc, (ulong)entry.TagsCode);
        while (answer.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(answer));
            answer = answer[sizeof(ulong)..];
        }

        foreach (byte b in answer)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return ~crc;
    }
}
