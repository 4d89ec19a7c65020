using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace GrayMQ.Cli.Output;

/// <summary>Values as people read them. What others have written into messages and names must not steer the terminal.</summary>
internal static class Printable
{
    private const string TimeFormat = "yyyy-MM-dd HH:mm:ss.fff";

    /// <summary>The text with control characters as escapes; line breaks and tabs too, so that it stays one line.</summary>
    public static string Line(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\0', '\x1F') && !text.AsSpan().ContainsAnyInRange('\x7F', '\x9F'))
        {
            return text;
        }

        var line = new StringBuilder(text.Length + 8);
        foreach (char c in text)
        {
            _ = c switch
            {
                '\n' => line.Append("\\n"),
                '\r' => line.Append("\\r"),
                '\t' => line.Append("\\t"),
                _ when char.IsControl(c) => line.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => line.Append(c),
            };
        }

        return line.ToString();
    }

    /// <summary>A body as text; null when it is not UTF-8.</summary>
    public static string? Text(ReadOnlySpan<byte> body) => Utf8.IsValid(body) ? Encoding.UTF8.GetString(body) : null;

    /// <summary>The text with control characters as escapes, over as many lines as it has.</summary>
    public static string Block(string text) => string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(Line));

    /// <summary>Milliseconds since 1970 as local time; null for none.</summary>
    public static string? Time(long timestampMs, TimeProvider time) => timestampMs <= 0
        ? null
        : TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(timestampMs), time.LocalTimeZone)
            .ToString(TimeFormat, CultureInfo.InvariantCulture);

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A permission as RocketMQ's tools write it: RW-, R--, -W-, and X where it is inherited.</summary>
    public static string Permission(int permission) => string.Concat(
        (permission & 4) != 0 ? "R" : "-", (permission & 2) != 0 ? "W" : "-", (permission & 1) != 0 ? "X" : "-");
}
