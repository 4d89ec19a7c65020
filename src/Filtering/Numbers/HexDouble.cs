using System.Globalization;

namespace GrayMQ.Filtering.Numbers;

/// <summary>Java's hexadecimal doubles: <c>0x1.8p3</c> is 1.5 times 2 to the third.</summary>
internal static class HexDouble
{
    // Exponents beyond are 0 or infinite whatever the digits are, of which a property has 32,767 at most.
    private const int MaxExponent = 1_000_000;

    /// <param name="text">Behind the <c>0x</c>; the exponent is a must.</param>
    public static bool TryRead(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        ulong digits = 0;
        int exponent = 0;
        int read = 0;
        bool point = false;
        int at = 0;
        for (; at < text.Length; at++)
        {
            if (text[at] == '.' && !point)
            {
                point = true;
                continue;
            }

            if (!char.IsAsciiHexDigit((char)text[at]))
            {
                break;
            }

            int digit = char.IsAsciiDigit((char)text[at]) ? text[at] - '0' : (text[at] | 0x20) - 'a' + 10;
            read++;
            if (digits >> 60 == 0)
            {
                digits = (digits << 4) | (uint)digit;
                exponent -= point ? 4 : 0;
            }
            else
            {
                // More than 64 bits: what is cut off only says whether there is more.
                digits |= digit == 0 ? 0u : 1u;
                exponent += point ? 0 : 4;
            }
        }

        if (read == 0 || at == text.Length || text[at] is not ((byte)'p' or (byte)'P'))
        {
            return false;
        }

        ReadOnlySpan<byte> power = text[(at + 1)..];
        bool negative = power.Length > 0 && power[0] == '-';
        power = power.Length > 0 && power[0] is (byte)'-' or (byte)'+' ? power[1..] : power;
        if (power.IsEmpty || power.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return false;
        }

        if (!int.TryParse(power, NumberStyles.None, CultureInfo.InvariantCulture, out int shift) || shift > MaxExponent)
        {
            shift = MaxExponent;
        }

        value = Math.ScaleB(digits, exponent + (negative ? -shift : shift));
        return true;
    }
}
