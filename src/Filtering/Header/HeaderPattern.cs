using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using GrayMQ.Filtering.Expressions;

namespace GrayMQ.Filtering.Header;

/// <summary>
/// Regular expressions as Java's Matcher.matches understands them: the pattern has to fit the whole text, and <c>\d \w \s</c> are
/// ASCII. Only those are taken that can be matched in a time proportional to the text, which leaves out look-around and references back.
/// </summary>
internal static class HeaderPattern
{
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    /// <exception cref="ExpressionSyntaxException">The pattern is no regular expression, or none that is taken.</exception>
    public static Regex Compile(string pattern, SourceSpan span)
    {
        if (pattern.Length > FilterLimits.MaxPatternLength)
        {
            throw new ExpressionSyntaxException(
                span.Column, $"expected a regular expression of no more than {FilterLimits.MaxPatternLength} characters");
        }

        try
        {
            // By itself first, so that nothing in it can close what is put around it. This also comes before anything that grows with the
            // counts in it.
            _ = new Regex(pattern, RegexOptions.CultureInvariant);
            if (Size(pattern) > FilterLimits.MaxPatternSize)
            {
                throw new ExpressionSyntaxException(
                    span.Column, $"expected a regular expression that repeats no more than {FilterLimits.MaxPatternSize} characters");
            }

            return new Regex(@"\A(?:" + ToAscii(pattern) + @")\z", Options, TimeSpan.FromMilliseconds(FilterLimits.PatternTimeoutMs));
        }
        catch (RegexParseException e)
        {
            throw new ExpressionSyntaxException(span.Column, $"expected a regular expression: {e.Message}");
        }
        catch (NotSupportedException)
        {
            throw new ExpressionSyntaxException(
                span.Column, "expected a regular expression without look-around, references back and atomic groups");
        }
    }

    // How many characters and classes the pattern has when {n} is written out. The pattern is well formed.
    private static long Size(string pattern)
    {
        var groups = new Stack<long>();
        long size = 0;
        long last = 0;
        for (int at = 0; at < pattern.Length; at++)
        {
            switch (pattern[at])
            {
                case '(':
                    groups.Push(size);
                    size = 0;
                    last = 0;
                    break;
                case ')' when groups.Count > 0:
                    last = size;
                    size += groups.Pop();
                    break;
                case '[':
                    at = EndOfClass(pattern, at);
                    size += last = 1;
                    break;
                case '{' when TryReadCount(pattern, at, out int end, out int count):
                    // Saturates: a count has no more than ten digits, and what is too large stays so.
                    size = Math.Min(size + (last * Math.Max(0L, count - 1L)), int.MaxValue);
                    last = Math.Min(last * Math.Max(1L, count), int.MaxValue);
                    at = end;
                    break;
                case '*' or '+' or '?':
                    break;
                case '\\':
                    at++;
                    size += last = 1;
                    break;
                default:
                    size += last = 1;
                    break;
            }
        }

        return size + groups.Sum();
    }

    private static int EndOfClass(string pattern, int start)
    {
        int at = start + 1;
        at += at < pattern.Length && pattern[at] == '^' ? 1 : 0;
        at += at < pattern.Length && pattern[at] == ']' ? 1 : 0;
        while (at < pattern.Length && pattern[at] != ']')
        {
            at += pattern[at] == '\\' ? 2 : 1;
        }

        return Math.Min(at, pattern.Length - 1);
    }

    private static bool TryReadCount(string pattern, int start, out int end, out int count)
    {
        count = 0;
        end = pattern.IndexOf('}', start);
        if (end < 0)
        {
            return false;
        }

        foreach (Range part in pattern.AsSpan(start + 1, end - start - 1).Split(','))
        {
            ReadOnlySpan<char> number = pattern.AsSpan(start + 1, end - start - 1)[part];
            if (int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int value))
            {
                count = Math.Max(count, value);
            }
            else if (!number.IsEmpty)
            {
                return false;
            }
        }

        return true;
    }

    // .NET's classes are those of Unicode.
    private static string ToAscii(string pattern)
    {
        var ascii = new StringBuilder(pattern.Length);
        bool inClass = false;
        for (int at = 0; at < pattern.Length; at++)
        {
            char c = pattern[at];
            if (c == '\\' && at + 1 < pattern.Length)
            {
                at++;
                ascii.Append((pattern[at], inClass) switch
                {
                    ('d', false) => "[0-9]",
                    ('D', false) => "[^0-9]",
                    ('w', false) => "[a-zA-Z_0-9]",
                    ('W', false) => "[^a-zA-Z_0-9]",
                    ('s', false) => @"[ \t\n\x0B\f\r]",
                    ('S', false) => @"[^ \t\n\x0B\f\r]",
                    ('d', true) => "0-9",
                    ('w', true) => "a-zA-Z_0-9",
                    ('s', true) => @" \t\n\x0B\f\r",
                    _ => pattern.AsSpan(at - 1, 2).ToString(),
                });
                continue;
            }

            inClass = inClass ? c != ']' : c == '[';
            ascii.Append(c);
        }

        return ascii.ToString();
    }
}
