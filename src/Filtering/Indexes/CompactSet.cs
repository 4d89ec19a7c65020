using System.Buffers.Binary;
using System.Numerics;

namespace GrayMQ.Filtering.Indexes;

/// <summary>
/// An answer as bytes, to be kept with the message: as long as what matches, not as what could.
/// <code>
/// 0x00                                                        nothing matches
/// 0x01  first id, then the distance to each next, less one    varints of 7 bits, low ones first
/// 0x02  first word (varint)  words of 64 bits                 from the first that is not zero up to the last, little-endian
/// </code>
/// The shorter of the last two is written.
/// </summary>
public static class CompactSet
{
    private const byte Nothing = 0;
    private const byte Distances = 1;
    private const byte Bitmap = 2;
    private const int WordBits = 64;
    private const int MaxVarintBytes = 5;

    /// <summary>Most bytes that an answer has, if every id is below a limit.</summary>
    public static int MaxBytes(int idLimit) => 1 + MaxVarintBytes + (((idLimit + WordBits - 1) / WordBits) * sizeof(ulong));

    /// <summary>Writes an answer.</summary>
    /// <param name="destination">See <see cref="MaxBytes"/>.</param>
    /// <returns>The bytes that were written.</returns>
    public static int Write(MatchSet matches, Span<byte> destination)
    {
        if (matches.Count == 0)
        {
            destination[0] = Nothing;
            return 1;
        }

        int first = -1;
        int previous = -1;
        int distanceBytes = 1;
        foreach (int id in matches)
        {
            first = first < 0 ? id : first;
            distanceBytes += VarintBytes((uint)(id - previous - 1));
            previous = id;
        }

        int firstWord = first / WordBits;
        int words = (previous / WordBits) - firstWord + 1;
        int bitmapBytes = 1 + VarintBytes((uint)firstWord) + (words * sizeof(ulong));
        return distanceBytes <= bitmapBytes
            ? WriteDistances(matches, destination)
            : WriteBitmap(matches, destination, firstWord, words);
    }

    /// <summary>Whether an id is in an answer. Bytes that are no answer contain nothing.</summary>
    public static bool Contains(ReadOnlySpan<byte> answer, int id)
    {
        if (answer.IsEmpty || id < 0)
        {
            return false;
        }

        int at = 1;
        switch (answer[0])
        {
            case Distances:
                long current = -1;
                while (current < id && TryReadVarint(answer, ref at, out uint distance))
                {
                    current += distance + 1L;
                }

                return current == id;
            case Bitmap:
                if (!TryReadVarint(answer, ref at, out uint firstWord) || id / WordBits < firstWord)
                {
                    return false;
                }

                long offset = at + (((id / WordBits) - (long)firstWord) * sizeof(ulong));
                return offset + sizeof(ulong) <= answer.Length
                    && (BinaryPrimitives.ReadUInt64LittleEndian(answer[(int)offset..]) & (1UL << id)) != 0;
            default:
                return false;
        }
    }

    private static int WriteDistances(MatchSet matches, Span<byte> destination)
    {
        destination[0] = Distances;
        int at = 1;
        int previous = -1;
        foreach (int id in matches)
        {
            WriteVarint((uint)(id - previous - 1), destination, ref at);
            previous = id;
        }

        return at;
    }

    private static int WriteBitmap(MatchSet matches, Span<byte> destination, int firstWord, int words)
    {
        destination[0] = Bitmap;
        int at = 1;
        WriteVarint((uint)firstWord, destination, ref at);
        Span<byte> bitmap = destination.Slice(at, words * sizeof(ulong));
        bitmap.Clear();
        foreach (int id in matches)
        {
            int bit = id - (firstWord * WordBits);
            bitmap[bit / 8] |= (byte)(1 << (bit % 8));
        }

        return at + bitmap.Length;
    }

    private static int VarintBytes(uint value) => (BitOperations.Log2(value | 1) / 7) + 1;

    private static void WriteVarint(uint value, Span<byte> destination, ref int at)
    {
        while (value > 0x7F)
        {
            destination[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[at++] = (byte)value;
    }

    private static bool TryReadVarint(ReadOnlySpan<byte> source, ref int at, out uint value)
    {
        value = 0;
        for (int shift = 0; shift < 35 && at < source.Length; shift += 7)
        {
            byte b = source[at++];
            value |= (uint)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
