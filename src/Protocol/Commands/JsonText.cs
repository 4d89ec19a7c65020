using System.Buffers;
using System.Text;
using System.Text.Json;

namespace GrayMQ.Protocol.Commands;

/// <summary>
/// The text of a JSON scalar as UTF-8 bytes. Half a surrogate pair, which JavaScript clients write as an escape, reads as a
/// question mark, as it does in Java; the framework's reader would refuse the whole header.
/// </summary>
internal static class JsonText
{
    private const byte Backslash = (byte)'\\';
    private const byte Unpaired = (byte)'?';
    private const int HexDigits = 4;
    private const int MaxStackBytes = 256;

    /// <summary>Bytes that <see cref="Copy"/> writes at most.</summary>
    public static int MaxBytes(in Utf8JsonReader reader) => reader.ValueSpan.Length;

    /// <summary>Copies the string, number, boolean or name that the reader stands on; returns the bytes written.</summary>
    public static int Copy(in Utf8JsonReader reader, Span<byte> to)
    {
        ReadOnlySpan<byte> text = reader.ValueSpan;
        if (reader.ValueIsEscaped)
        {
            return Unescape(text, to);
        }

        text.CopyTo(to);
        return text.Length;
    }

    /// <summary>The string that the reader stands on.</summary>
    public static string ToString(in Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return Encoding.UTF8.GetString(reader.ValueSpan);
        }

        byte[]? rented = null;
        int most = MaxBytes(in reader);
        Span<byte> utf8 = most <= MaxStackBytes ? stackalloc byte[MaxStackBytes] : (rented = ArrayPool<byte>.Shared.Rent(most));
        string text = Encoding.UTF8.GetString(utf8[..Copy(in reader, utf8)]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return text;
    }

    // The reader has checked each escape's form; an escape is never shorter than what it stands for.
    private static int Unescape(ReadOnlySpan<byte> text, Span<byte> to)
    {
        int written = 0;
        while (true)
        {
            int plain = text.IndexOf(Backslash);
            if (plain < 0)
            {
                text.CopyTo(to[written..]);
                return written + text.Length;
            }

            text[..plain].CopyTo(to[written..]);
            written += plain;
            byte kind = text[plain + 1];
            text = text[(plain + 2)..];
            if (kind != (byte)'u')
            {
                to[written++] = kind switch
                {
                    (byte)'b' => (byte)'\b',
                    (byte)'f' => (byte)'\f',
                    (byte)'n' => (byte)'\n',
                    (byte)'r' => (byte)'\r',
                    (byte)'t' => (byte)'\t',
                    _ => kind,
                };
                continue;
            }

            char unit = ReadHex(text);
            text = text[HexDigits..];
            if (!char.IsSurrogate(unit))
            {
                written += new Rune(unit).EncodeToUtf8(to[written..]);
            }
            else if (char.IsHighSurrogate(unit)
                && text.StartsWith("\\u"u8)
                && Rune.TryCreate(unit, ReadHex(text[2..]), out Rune pair))
            {
                text = text[(2 + HexDigits)..];
                written += pair.EncodeToUtf8(to[written..]);
            }
            else
            {
                to[written++] = Unpaired;
            }
        }
    }

    private static char ReadHex(ReadOnlySpan<byte> text)
    {
        int value = 0;
        foreach (byte digit in text[..HexDigits])
        {
            value = (value << 4) | (digit <= (byte)'9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        return (char)value;
    }
}
