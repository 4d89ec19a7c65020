using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using System.Text;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// Java's <c>String.hashCode</c> (h = 31*h + c over UTF-16 code units), computed from UTF-8 without making a string.
/// The hash reaches the disk as tags code and as index key, so it has to agree with Java for every input;
/// malformed UTF-8 counts as U+FFFD, as Java's decoder would read it.
/// </summary>
public static class JavaStringHash
{
    private const int EightBytes = 8;
    private const ulong BeyondAscii = 0x8080_8080_8080_8080;

    // 31^8, modulo 2^32 as everything here.
    private const uint PowerOfEight = 2_487_512_833;

    // 31^7 to 31^4, and 31^3 to 31^0: what each of eight characters counts.
    private static Vector128<uint> FirstPowers => Vector128.Create(1_742_810_335u, 887_503_681u, 28_629_151u, 923_521u);

    private static Vector128<uint> LastPowers => Vector128.Create(29_791u, 961u, 31u, 1u);

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
        while (Vector128.IsHardwareAccelerated && utf8.Length >= EightBytes)
        {
            ulong eight = BinaryPrimitives.ReadUInt64LittleEndian(utf8);
            if ((eight & BeyondAscii) != 0)
            {
                break;
            }

            (Vector128<uint> first, Vector128<uint> last) = Vector128.Widen(Vector128.WidenLower(Vector128.CreateScalar(eight).AsByte()));
            uint sum = Vector128.Sum((first * FirstPowers) + (last * LastPowers));
            hash = unchecked((hash * (int)PowerOfEight) + (int)sum);
            utf8 = utf8[EightBytes..];
        }

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
