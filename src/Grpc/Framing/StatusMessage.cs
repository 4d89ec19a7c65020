using System.Buffers;
using System.Text;

namespace GrayMQ.Grpc.Framing;

/// <summary>The trailer <c>grpc-message</c>: UTF-8 in which everything but printable ASCII is percent-encoded, and the percent sign itself.</summary>
public static class StatusMessage
{
    // Trailers of more than a few KiB are refused by many clients.
    private const int MaxCharacters = 1024;

    private static readonly SearchValues<char> Encoded = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(code => (char)code), '%', .. Enumerable.Range(0x7f, 0x81).Select(code => (char)code)]);

    /// <summary>Encodes a message; a very long one is cut.</summary>
    public static string Encode(string message)
    {
        ReadOnlySpan<char> text = message.AsSpan(0, Math.Min(message.Length, MaxCharacters));
        if (text.IndexOfAny(Encoded) < 0 && Ascii.IsValid(text))
        {
            return text.ToString();
        }

        var encoded = new StringBuilder(text.Length * 2);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value is >= 0x20 and < 0x7f and not '%')
            {
                encoded.Append((char)rune.Value);
                continue;
            }

            int length = rune.EncodeToUtf8(utf8);
            foreach (byte unit in utf8[..length])
            {
                encoded.Append('%').Append(unit.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        return encoded.ToString();
    }
}
