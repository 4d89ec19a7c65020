using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace GrayMQ.Fuzz;

/// <summary>Makes inputs out of others: a few changes each, from single bits to spliced halves.</summary>
internal sealed class Mutator(Random random, IReadOnlyList<byte[]> tokens)
{
    private const int MaxChanges = 6;
    private const int MaxBytes = 256 * 1024;

    private static readonly long[] Edges =
    [
        0, 1, -1, 2, 4, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, -32768, 65535, 65536, 1 << 20, (1 << 24) - 1, 1 << 24,
        int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue,
    ];

    /// <summary>A mutation of <paramref name="input"/>; <paramref name="other"/> is there to take pieces from.</summary>
    public byte[] Mutate(byte[] input, byte[] other)
    {
        List<byte> bytes = [.. input];
        for (int changes = random.Next(1, MaxChanges); changes > 0; changes--)
        {
            Change(bytes, other);
            if (bytes.Count > MaxBytes)
            {
                bytes.RemoveRange(MaxBytes, bytes.Count - MaxBytes);
            }
        }

        return [.. bytes];
    }

    private void Change(List<byte> bytes, byte[] other)
    {
        int at = random.Next(bytes.Count + 1);
        int left = bytes.Count - at;
        switch (random.Next(12))
        {
            case 0 when left > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when left > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                OverwriteNumber(bytes, at);
                break;
            case 3:
                NudgeNumber(bytes, at);
                break;
            case 4:
                bytes.RemoveRange(at, random.Next(Math.Min(left, 64) + 1));
                break;
            case 5:
                bytes.InsertRange(at, Piece(other));
                break;
            case 6 when left > 0:
                bytes.InsertRange(at, bytes.GetRange(at, random.Next(Math.Min(left, 64)) + 1));
                break;
            case 7:
                bytes.RemoveRange(at, left);
                break;
            case 8 when tokens.Count > 0:
                bytes.InsertRange(at, tokens[random.Next(tokens.Count)]);
                break;
            case 9:
                ReplaceDigits(bytes, at);
                break;
            case 10:
                bytes.RemoveRange(at, left);
                bytes.AddRange(other.Skip(random.Next(other.Length + 1)));
                break;
            case 11 when random.Next(20) == 0:
                bytes.InsertRange(at, Enumerable.Repeat(bytes.Count > 0 ? bytes[random.Next(bytes.Count)] : (byte)'[', random.Next(20_000)));
                break;
            default:
                byte[] noise = new byte[random.Next(1, 16)];
                random.NextBytes(noise);
                bytes.InsertRange(at, noise);
                break;
        }
    }

    private byte[] Piece(byte[] other)
    {
        int start = random.Next(other.Length + 1);
        return other[start..(start + random.Next(Math.Min(other.Length - start, 128) + 1))];
    }

    private void OverwriteNumber(List<byte> bytes, int at)
    {
        int width = 1 << random.Next(4);
        if (bytes.Count - at < width)
        {
            return;
        }

        long value = random.Next(3) == 0 ? bytes.Count + random.Next(-8, 9) : Edges[random.Next(Edges.Length)];
        WriteNumber(bytes, at, width, value);
    }

    private void NudgeNumber(List<byte> bytes, int at)
    {
        int width = 1 << random.Next(4);
        if (bytes.Count - at < width)
        {
            return;
        }

        long value = 0;
        for (int i = 0; i < width; i++)
        {
            value = (value << 8) | bytes[at + i];
        }

        WriteNumber(bytes, at, width, value + random.Next(-16, 17));
    }

    private static void WriteNumber(List<byte> bytes, int at, int width, long value)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(number, value);
        for (int i = 0; i < width; i++)
        {
            bytes[at + i] = number[sizeof(long) - width + i];
        }
    }

    // Numbers that stand as text.
    private void ReplaceDigits(List<byte> bytes, int at)
    {
        int start = bytes.FindIndex(at, b => b is >= (byte)'0' and <= (byte)'9');
        if (start < 0)
        {
            return;
        }

        int end = start;
        while (end < bytes.Count && bytes[end] is >= (byte)'0' and <= (byte)'9')
        {
            end++;
        }

        bytes.RemoveRange(start, end - start);
        bytes.InsertRange(start, Encoding.ASCII.GetBytes(Edges[random.Next(Edges.Length)].ToString(CultureInfo.InvariantCulture)));
    }
}
