using System.Text;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// Java's <c>String.hashCode</c> (h = 31*h + c over UTF-16 code units), computed from UTF-8 without making a string.
/// The hash reaches the disk as tags code and as index key, so it has to agree with Java for every input;
/// malformed UTF-8 counts as U+FFFD, as Java's decoder would read it.
/// </summary>
public static class JavaStringHash
{
    public static int Of(ReadOnlySpan<byte> utf8) => Append(0, utf8);

    public static int Of(ReadOnlySpan<char> text)
    {
        int hash = 0;
        foreach (char c in text)
        {
            hash = unchecked(31 * hash + c);
        }

        return hash;
    }

    /// <summary>Continues <paramref name="hash"/> with more text: Append(Of(a), b) = Of(a + b).</summary>
    public static int Append(int hash, ReadOnlySpan<byte> utf8)
    {
        for (int i = 0; i < utf8.Length; i++)
        {
            byte b = utf8[i];
            if (b >= 0x80)
            {
                return AppendBeyondAscii(hash, utf8[i..]);
            }

            hash = unchecked(31 * hash + b);
        }

        return hash;
    }

    private static int AppendBeyondAscii(int hash, ReadOnlySpan<byte> utf8)
    {
        Span<char> units = stackalloc char[2];
        while (!utf8.IsEmpty)
        {
            Rune.DecodeFromUtf8(utf8, out Rune rune, out int consumed);
            int count = rune.EncodeToUtf16(units);
            for (int i = 0; i < count; i++)
            {
                hash = unchecked(31 * hash + units[i]);
            }

            utf8 = utf8[consumed..];
        }

        return hash;
    }
}
