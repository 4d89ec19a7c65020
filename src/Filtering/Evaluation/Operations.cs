using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Evaluation;

/// <summary>What each kind of condition does with the values of its operands. The evaluators differ in how they get there.</summary>
internal static class Operations
{
    private const int StackChars = 512;

    public static Outcome IsMissing(TextValue text) => OutcomeAlgebra.Of(!text.IsPresent);

    public static Outcome TextEquals(TextValue left, TextValue right, Outcome ifLeftMissing) =>
        left.IsPresent
            ? OutcomeAlgebra.Of(right.IsPresent && left.Utf8.SequenceEqual(right.Utf8))
            : right.IsPresent ? ifLeftMissing : Outcome.True;

    public static Outcome IsMember(TextValue text, TextSet values, bool isNegated, Outcome ifMissing) =>
        text.IsPresent ? OutcomeAlgebra.Of(values.Contains(text.Utf8) != isNegated) : ifMissing;

    public static Outcome Search(TextSearchKind kind, TextValue text, TextValue part, bool isNegated)
    {
        if (!text.IsPresent || !part.IsPresent)
        {
            return Outcome.False;
        }

        bool found = kind switch
        {
            TextSearchKind.Contains => text.Utf8.IndexOf(part.Utf8) >= 0,
            TextSearchKind.StartsWith => text.Utf8.StartsWith(part.Utf8),
            _ => text.Utf8.EndsWith(part.Utf8),
        };
        return OutcomeAlgebra.Of(found != isNegated);
    }

    public static Outcome TextsInOrder(ComparisonOperator comparison, TextValue left, TextValue right) =>
        OutcomeAlgebra.Of(left.IsPresent && right.IsPresent && comparison.Holds(left.Utf8.SequenceCompareTo(right.Utf8)));

    public static Outcome Fits(TextValue text, Regex regex)
    {
        if (!text.IsPresent)
        {
            return Outcome.False;
        }

        char[]? rented = null;
        Span<char> chars = text.Utf8.Length <= StackChars
            ? stackalloc char[StackChars]
            : rented = ArrayPool<char>.Shared.Rent(text.Utf8.Length);
        try
        {
            return OutcomeAlgebra.Of(regex.IsMatch(chars[..Encoding.UTF8.GetChars(text.Utf8, chars)]));
        }
        catch (RegexMatchTimeoutException)
        {
            return Outcome.False;
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<char>.Shared.Return(rented);
            }
        }
    }

    public static Outcome TextEqualsTruth(TextValue text, Outcome truth, Outcome ifTextMissing) => truth switch
    {
        Outcome.Error => Outcome.Error,
        Outcome.Null => OutcomeAlgebra.Of(!text.IsPresent),
        _ => text.IsPresent ? OutcomeAlgebra.Of(SaysTrue(text.Utf8) == (truth == Outcome.True)) : ifTextMissing,
    };

    public static Outcome TestNumber(
        NumberReading reading, TextValue text, ComparisonOperator comparison, NumberKey value, Outcome ifMissing, Outcome ifNoNumber)
    {
        if (!text.IsPresent)
        {
            return ifMissing;
        }

        return NumberReader.TryReadKey(reading, text.Utf8, out NumberKey key)
            ? OutcomeAlgebra.Of(comparison.Holds(key.CompareTo(value)))
            : ifNoNumber;
    }

    public static Outcome TextNumbersInOrder(ComparisonOperator comparison, TextValue left, TextValue right)
    {
        if (!left.IsPresent || !right.IsPresent)
        {
            return Outcome.Null;
        }

        return NumberReader.TryReadKey(NumberReading.JavaDouble, left.Utf8, out NumberKey l)
            && NumberReader.TryReadKey(NumberReading.JavaDouble, right.Utf8, out NumberKey r)
            ? OutcomeAlgebra.Of(comparison.Holds(l.CompareTo(r)))
            : Outcome.Error;
    }

    public static Outcome Compare(ComparisonOperator comparison, FilterNumber left, FilterNumber right) =>
        OutcomeAlgebra.Of(left.IsNumber && right.IsNumber && comparison.Holds(left.Key.CompareTo(right.Key)));

    public static FilterNumber Read(TextValue text) => text.IsPresent ? NumberReader.ReadDecimal(text.Utf8) : FilterNumber.None;

    public static FilterNumber Length(TextValue text) =>
        text.IsPresent ? new FilterNumber((long)Encoding.UTF8.GetCharCount(text.Utf8)) : FilterNumber.None;

    public static FilterNumber IndexOf(TextValue text, TextValue part)
    {
        if (!text.IsPresent || !part.IsPresent)
        {
            return FilterNumber.None;
        }

        int bytes = text.Utf8.IndexOf(part.Utf8);
        return new FilterNumber((long)(bytes < 0 ? -1 : Encoding.UTF8.GetCharCount(text.Utf8[..bytes])));
    }

    public static TextValue Substring(TextValue text, FilterNumber begin)
    {
        int start = text.IsPresent ? ByteOf(text.Utf8, begin.Index) : -1;
        return start < 0 ? TextValue.Missing : new TextValue(text.Utf8[start..]);
    }

    public static TextValue Substring(TextValue text, FilterNumber begin, FilterNumber end)
    {
        int start = text.IsPresent ? ByteOf(text.Utf8, begin.Index) : -1;
        int stop = start < 0 ? -1 : ByteOf(text.Utf8, end.Index);
        return start < 0 || stop < start ? TextValue.Missing : new TextValue(text.Utf8[start..stop]);
    }

    // Java: Boolean.valueOf.
    private static bool SaysTrue(ReadOnlySpan<byte> text) => Ascii.EqualsIgnoreCase(text, "true"u8);

    // The byte at which a UTF-16 unit begins; within a pair, where the pair begins. -1 for an index outside.
    private static int ByteOf(ReadOnlySpan<byte> utf8, int unit)
    {
        if (unit < 0)
        {
            return -1;
        }

        int at = 0;
        while (unit > 0 && at < utf8.Length)
        {
            Rune.DecodeFromUtf8(utf8[at..], out Rune rune, out int length);
            unit -= rune.Utf16SequenceLength;
            at += unit < 0 ? 0 : length;
        }

        return unit > 0 ? -1 : at;
    }
}
