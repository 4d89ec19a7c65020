using System.Buffers.Binary;
using GrayMQ.Filtering.Indexes;

namespace GrayMQ.Broker.Filtering;

/// <summary>
/// Which subscriptions a message matches, as it is kept beside the message's queue entry.
/// <code>
/// 8 generation of the index that was asked (big-endian) | the numbers of the expressions that match (CompactSet)
/// </code>
/// </summary>
internal static class KeptAnswer
{
    private const int GenerationBytes = sizeof(long);

    /// <summary>Most bytes that an answer has, if every number is below a limit.</summary>
    public static int MaxBytes(int idLimit) => GenerationBytes + CompactSet.MaxBytes(idLimit);

    /// <returns>The bytes that were written.</returns>
    public static int Write(long generation, MatchSet matches, Span<byte> destination)
    {
        BinaryPrimitives.WriteInt64BigEndian(destination, generation);
        return GenerationBytes + CompactSet.Write(matches, destination[GenerationBytes..]);
    }

    /// <summary>The generation of an answer; -1 for what is none.</summary>
    public static long GenerationOf(ReadOnlySpan<byte> answer) =>
        answer.Length > GenerationBytes ? BinaryPrimitives.ReadInt64BigEndian(answer) : -1;

    public static bool Contains(ReadOnlySpan<byte> answer, int id) => CompactSet.Contains(answer[GenerationBytes..], id);
}
