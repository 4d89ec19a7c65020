using System.Buffers;
using System.Globalization;
using System.Text;

namespace GrayMQ.Settings;

/// <summary>
/// The syntax of Java's .properties: comments (# and !), key=value, key:value, key value, white space, continued lines,
/// \uXXXX escapes. Source: the documentation of java.util.Properties.load.
/// </summary>
internal static class PropertiesReader
{
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>
    /// Reads all entries in their order. Values keep trailing white space, as Java keeps it. What cannot be read is added
    /// to <paramref name="problems"/> as (line, expectation), and reading goes on in the next line.
    /// </summary>
    public static List<SettingsFileEntry> Read(string text, List<(int Line, string Expectation)> problems)
    {
        var entries = new List<SettingsFileEntry>();
        var scanner = new LineScanner(text);
        var logical = new StringBuilder();
        while (scanner.TryReadLogicalLine(logical, out int firstLine, out int lastLine))
        {
            if (ReadEntry(logical.ToString(), firstLine, lastLine, out string? expectation) is { } entry)
            {
                entries.Add(entry);
            }
            else
            {
                problems.Add((firstLine, expectation!));
            }
        }
        return entries;
    }

    private static SettingsFileEntry? ReadEntry(string line, int firstLine, int lastLine, out string? expectation)
    {
        int keyEnd = FindKeyEnd(line);
        int valueStart = SkipWhiteSpace(line, keyEnd);
        if (valueStart < line.Length && line[valueStart] is '=' or ':')
        {
            valueStart = SkipWhiteSpace(line, valueStart + 1);
        }
        if (keyEnd == 0)
        {
            expectation = "expected a key before the separator";
            return null;
        }
        string? key = Unescape(line.AsSpan(0, keyEnd), out expectation);
        string? value = key is null ? null : Unescape(line.AsSpan(valueStart), out expectation);
        if (key is null || value is null)
        {
            return null;
        }
        if (key.Contains('\0', StringComparison.Ordinal) || value.Contains('\0', StringComparison.Ordinal))
        {
            expectation = "expected text, found a NUL character";
            return null;
        }
        return new SettingsFileEntry(key, value, firstLine, lastLine);
    }

    private static int FindKeyEnd(string line)
    {
        for (int i = 0; i < line.Length; i++)
        {
            if (line[i] == '\\')
            {
                i++;
            }
            else if (line[i] is '=' or ':' || IsWhiteSpace(line[i]))
            {
                return i;
            }
        }
        return line.Length;
    }

    private static int SkipWhiteSpace(string line, int start)
    {
        while (start < line.Length && IsWhiteSpace(line[start]))
        {
            start++;
        }
        return start;
    }

    private static string? Unescape(ReadOnlySpan<char> raw, out string? expectation)
    {
        expectation = null;
        var text = new StringBuilder(raw.Length);
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }
            if (++i == raw.Length)
            {
                break;
            }
            if (raw[i] == 'u')
            {
                ReadOnlySpan<char> digits = raw.Slice(i + 1, Math.Min(4, raw.Length - i - 1));
                if (digits.Length < 4 || digits.ContainsAnyExcept(HexDigits))
                {
                    expectation = "expected four hexadecimal digits after \\u";
                    return null;
                }
                text.Append((char)ushort.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 4;
                continue;
            }
            text.Append(raw[i] switch { 't' => '\t', 'n' => '\n', 'r' => '\r', 'f' => '\f', _ => raw[i] });
        }
        return text.ToString();
    }

    private static bool IsWhiteSpace(char c) => c is ' ' or '\t' or '\f';

    /// <summary>Joins natural lines to logical ones; skips blank lines and comments.</summary>
    private ref struct LineScanner(string text)
    {
        private ReadOnlySpan<char> _rest = text;
        private int _line;

        public bool TryReadLogicalLine(StringBuilder logical, out int firstLine, out int lastLine)
        {
            logical.Clear();
            firstLine = 0;
            bool continued = false;
            while (TryReadNaturalLine(out ReadOnlySpan<char> natural))
            {
                natural = natural.TrimStart(" \t\f");
                if (!continued)
                {
                    // A comment is never continued, whatever it ends with.
                    if (natural.IsEmpty || natural[0] is '#' or '!')
                    {
                        continue;
                    }
                    firstLine = _line;
                }
                continued = EndsInContinuation(natural);
                logical.Append(continued ? natural[..^1] : natural);
                if (!continued)
                {
                    break;
                }
            }
            lastLine = _line;
            return firstLine > 0;
        }

        private bool TryReadNaturalLine(out ReadOnlySpan<char> line)
        {
            line = default;
            if (_rest.IsEmpty)
            {
                return false;
            }
            _line++;
            int end = _rest.IndexOfAny('\r', '\n');
            if (end < 0)
            {
                line = _rest;
                _rest = default;
                return true;
            }
            line = _rest[..end];
            int terminator = _rest[end..].StartsWith("\r\n") ? 2 : 1;
            _rest = _rest[(end + terminator)..];
            return true;
        }

        private static bool EndsInContinuation(ReadOnlySpan<char> line) =>
            (line.Length - line.TrimEnd('\\').Length) % 2 == 1;
    }
}
