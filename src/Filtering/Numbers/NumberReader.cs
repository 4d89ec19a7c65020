using System.Globalization;
using System.Text;

namespace GrayMQ.Filtering.Numbers;

/// <summary>Reads texts (UTF-8) as numbers, in the ways of <see cref="NumberReading"/>; nothing is allocated.</summary>
public static class NumberReader
{
    public static bool TryReadKey(NumberReading reading, ReadOnlySpan<byte> utf8, out NumberKey key)
    {
        key = default;
        if (TryReadShort(utf8, out long magnitude))
        {
            key = reading switch
            {
                NumberReading.Int32 or NumberReading.Int64 => NumberKey.OfWhole(magnitude),
                NumberReading.JavaDouble => NumberKey.OfJavaDouble(magnitude),
                _ => NumberKey.OfDecimal(magnitude),
            };
            return reading != NumberReading.Int32 || magnitude <= int.MaxValue;
        }

        switch (reading)
        {
            case NumberReading.Int32:
            case NumberReading.Int64:
                bool wide = reading == NumberReading.Int64;
                if (!TryReadJavaWhole(utf8, wide ? long.MinValue : int.MinValue, wide ? long.MaxValue : int.MaxValue, out long whole))
                {
                    return false;
                }

                key = NumberKey.OfWhole(whole);
                return true;
            case NumberReading.JavaDouble:
                if (!TryReadJavaDouble(utf8, out double number))
                {
                    return false;
                }

                key = NumberKey.OfJavaDouble(number);
                return true;
            default:
                FilterNumber value = ReadDecimal(utf8);
                if (!value.IsNumber)
                {
                    return false;
                }

                key = value.Key;
                return true;
        }
    }

    /// <summary>Java: Integer.valueOf and Long.valueOf. A sign and digits, those of other scripts too; no spaces.</summary>
    public static bool TryReadJavaWhole(ReadOnlySpan<byte> utf8, long least, long most, out long value)
    {
        value = 0;
        bool negative = utf8.Length > 0 && utf8[0] == '-';
        int at = utf8.Length > 0 && utf8[0] is (byte)'-' or (byte)'+' ? 1 : 0;
        if (at == utf8.Length)
        {
            return false;
        }

        if (TryReadShort(utf8[at..], out long magnitude))
        {
            value = negative ? -magnitude : magnitude;
            return value >= least && value <= most;
        }

        // Downwards, because there is one more negative number than positive ones.
        long total = 0;
        while (at < utf8.Length)
        {
            int digit = utf8[at] - '0';
            if ((uint)digit > 9)
            {
                if (utf8[at] < 0x80 || (digit = OtherDigit(utf8[at..], out int length)) < 0)
                {
                    return false;
                }

                at += length - 1;
            }

            if (total < (long.MinValue + digit) / 10)
            {
                return false;
            }

            total = (total * 10) - digit;
            at++;
        }

        if (negative ? total < least : total < -most)
        {
            return false;
        }

        value = negative ? total : -total;
        return true;
    }

    /// <summary>Java: Double.valueOf. Control characters and spaces around it do not count, and there are NaN, Infinity, 0x1p3 and 1.5f.</summary>
    public static bool TryReadJavaDouble(ReadOnlySpan<byte> utf8, out double value)
    {
        value = 0;
        ReadOnlySpan<byte> text = TrimAsJava(utf8);
        bool negative = text.Length > 0 && text[0] == '-';
        ReadOnlySpan<byte> unsigned = text.Length > 0 && text[0] is (byte)'-' or (byte)'+' ? text[1..] : text;
        if (unsigned.IsEmpty)
        {
            return false;
        }

        if (unsigned[0] is (byte)'N' or (byte)'I')
        {
            value = unsigned[0] == 'N' ? double.NaN : negative ? double.NegativeInfinity : double.PositiveInfinity;
            return unsigned.SequenceEqual("NaN"u8) || unsigned.SequenceEqual("Infinity"u8);
        }

        if (unsigned.Length > 2 && unsigned[0] == '0' && unsigned[1] is (byte)'x' or (byte)'X')
        {
            bool read = HexDouble.TryRead(WithoutSuffix(unsigned)[2..], out value);
            value = negative ? -value : value;
            return read;
        }

        if (!TryReadDecimal(WithoutSuffix(unsigned), out _, out value))
        {
            return false;
        }

        value = negative ? -value : value;
        return true;
    }

    /// <summary>HEADER's numbers: <c>[+-] digits [. digits] [e [+-] digits]</c>, ASCII only.</summary>
    public static FilterNumber ReadDecimal(ReadOnlySpan<byte> utf8)
    {
        bool negative = utf8.Length > 0 && utf8[0] == '-';
        ReadOnlySpan<byte> unsigned = utf8.Length > 0 && utf8[0] is (byte)'-' or (byte)'+' ? utf8[1..] : utf8;
        if (!TryReadDecimal(unsigned, out FilterNumber number, out double value))
        {
            return FilterNumber.None;
        }

        if (!number.IsWhole)
        {
            return new FilterNumber(negative ? -value : value);
        }

        return negative ? FilterNumber.Compute(ArithmeticOperator.Subtract, new FilterNumber(0L), number) : number;
    }

    // Digits that fit 63 bits are a whole number; all else becomes a double.
    private static bool TryReadDecimal(ReadOnlySpan<byte> text, out FilterNumber number, out double value)
    {
        if (TryReadShort(text, out long magnitude))
        {
            number = new FilterNumber(magnitude);
            value = magnitude;
            return true;
        }

        number = FilterNumber.None;
        value = 0;
        int at = 0;
        long whole = 0;
        bool fits = true;
        while (at < text.Length && text[at] is >= (byte)'0' and <= (byte)'9')
        {
            int digit = text[at++] - '0';
            fits = fits && whole <= (long.MaxValue - digit) / 10;
            whole = fits ? (whole * 10) + digit : whole;
        }

        int digits = at;
        if (at == text.Length)
        {
            if (digits == 0)
            {
                return false;
            }

            if (fits)
            {
                number = new FilterNumber(whole);
                value = whole;
                return true;
            }
        }
        else if (text[at] == '.')
        {
            int fraction = ++at;
            while (at < text.Length && text[at] is >= (byte)'0' and <= (byte)'9')
            {
                at++;
            }

            digits += at - fraction;
        }

        if (digits == 0)
        {
            return false;
        }

        if (at < text.Length && text[at] is (byte)'e' or (byte)'E')
        {
            at++;
            at += at < text.Length && text[at] is (byte)'+' or (byte)'-' ? 1 : 0;
            int exponent = at;
            while (at < text.Length && text[at] is >= (byte)'0' and <= (byte)'9')
            {
                at++;
            }

            if (at == exponent)
            {
                return false;
            }
        }

        const NumberStyles Styles = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (at != text.Length || !double.TryParse(text, Styles, CultureInfo.InvariantCulture, out value))
        {
            return false;
        }

        number = new FilterNumber(value);
        return true;
    }

    // What nearly all numbers are: a few digits, which cannot overflow.
    private static bool TryReadShort(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        if (text.Length is 0 or > 18)
        {
            return false;
        }

        foreach (byte b in text)
        {
            uint digit = (uint)(b - '0');
            if (digit > 9)
            {
                return false;
            }

            value = (value * 10) + digit;
        }

        return true;
    }

    private static ReadOnlySpan<byte> WithoutSuffix(ReadOnlySpan<byte> text) =>
        text.Length > 1 && text[^1] is (byte)'d' or (byte)'D' or (byte)'f' or (byte)'F' ? text[..^1] : text;

    private static ReadOnlySpan<byte> TrimAsJava(ReadOnlySpan<byte> text)
    {
        while (text.Length > 0 && text[0] <= ' ')
        {
            text = text[1..];
        }

        while (text.Length > 0 && text[^1] <= ' ')
        {
            text = text[..^1];
        }

        return text;
    }

    // Java's Character.digit on one UTF-16 unit.
    private static int OtherDigit(ReadOnlySpan<byte> utf8, out int length) =>
        Rune.DecodeFromUtf8(utf8, out Rune rune, out length) == System.Buffers.OperationStatus.Done && rune.IsBmp
            ? CharUnicodeInfo.GetDecimalDigitValue((char)rune.Value)
            : -1;
}
