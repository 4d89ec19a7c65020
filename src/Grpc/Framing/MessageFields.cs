using System.Buffers;
using System.Numerics;
using System.Text;
using System.Text.Unicode;

namespace GrayMQ.Grpc.Framing;

/// <summary>
/// Writes fields of a protobuf message straight into bytes, for messages that are too many to be made into objects first. As with
/// objects, a field that has its default value is left out by whoever calls.
/// </summary>
public static class MessageFields
{
    private const int MaxVarintBytes = 10;
    private const int VarintType = 0;
    private const int LengthType = 2;
    private const int BitsOfType = 3;
    private const int BitsOfVarintByte = 7;

    /// <summary>A number, a boolean or an enumeration's value.</summary>
    public static void WriteNumber(this IBufferWriter<byte> output, int field, long value)
    {
        Span<byte> span = output.GetSpan(2 * MaxVarintBytes);
        int at = Put(span, Tag(field, VarintType));
        output.Advance(at + Put(span[at..], (ulong)value));
    }

    /// <summary>A string, bytes or a message.</summary>
    public static void WriteBytes(this IBufferWriter<byte> output, int field, ReadOnlySpan<byte> value)
    {
        output.WriteLength(field, value.Length);
        output.Write(value);
    }

    /// <summary>A string that should be UTF-8, as <see cref="ToText"/> has it.</summary>
    public static void WriteText(this IBufferWriter<byte> output, int field, ReadOnlySpan<byte> utf8) =>
        output.WriteBytes(field, ToText(utf8));

    /// <summary>What should be UTF-8 as UTF-8: what is not is replaced, for no client would read the message otherwise.</summary>
    public static ReadOnlySpan<byte> ToText(ReadOnlySpan<byte> utf8) =>
        Utf8.IsValid(utf8) ? utf8 : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(utf8));

    /// <summary>What stands before a string, bytes or a message of such a length.</summary>
    public static void WriteLength(this IBufferWriter<byte> output, int field, int length)
    {
        Span<byte> span = output.GetSpan(2 * MaxVarintBytes);
        int at = Put(span, Tag(field, LengthType));
        output.Advance(at + Put(span[at..], (uint)length));
    }

    /// <summary>A google.protobuf.Timestamp or Duration of milliseconds, none of them negative.</summary>
    public static void WriteMilliseconds(this IBufferWriter<byte> output, int field, long milliseconds)
    {
        const int SecondsField = 1;
        const int NanosField = 2;
        long seconds = Math.DivRem(Math.Max(0, milliseconds), 1000, out long rest);
        Span<byte> time = stackalloc byte[2 * (1 + MaxVarintBytes)];
        int length = 0;
        if (seconds != 0)
        {
            length += Put(time, Tag(SecondsField, VarintType));
            length += Put(time[length..], (ulong)seconds);
        }

        if (rest != 0)
        {
            length += Put(time[length..], Tag(NanosField, VarintType));
            length += Put(time[length..], (ulong)rest * 1_000_000);
        }

        output.WriteBytes(field, time[..length]);
    }

    /// <summary>Bytes that a string, bytes or a message of such a length takes as a field.</summary>
    public static int SizeOf(int field, int length) => SizeOf(Tag(field, LengthType)) + SizeOf((uint)length) + length;

    private static ulong Tag(int field, int type) => (ulong)((field << BitsOfType) | type);

    private static int SizeOf(ulong number) => (BitOperations.Log2(number | 1) / BitsOfVarintByte) + 1;

    private static int Put(Span<byte> span, ulong number)
    {
        int at = 0;
        for (; number > 0x7f; number >>= BitsOfVarintByte)
        {
            span[at++] = (byte)(number | 0x80);
        }

        span[at++] = (byte)number;
        return at;
    }
}
