using System.Globalization;

namespace GrayMQ.Cli.Tools;

/// <summary>Times as they are written on the command line.</summary>
internal static class Times
{
    public const string Expectation =
        "a time such as 2026-11-21T09:30:00 (local), 2026-11-21T09:30:00Z, 15m (that long ago; s, m, h or d), or milliseconds since 1970";

    /// <returns>Milliseconds since 1970.</returns>
    /// <exception cref="CommandFailure">It is no time; the message names <paramref name="option"/>.</exception>
    public static long Parse(string option, string text, TimeProvider time)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long timestampMs))
        {
            return timestampMs;
        }

        if (text.Length > 1 && UnitMs(text[^1]) is { } unitMs
            && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count))
        {
            return time.GetUtcNow().ToUnixTimeMilliseconds() - (count * unitMs);
        }

        if (DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out DateTime point))
        {
            TimeSpan zone = point.Kind == DateTimeKind.Utc ? TimeSpan.Zero : time.LocalTimeZone.GetUtcOffset(point);
            return new DateTimeOffset(DateTime.SpecifyKind(point, DateTimeKind.Unspecified), zone).ToUnixTimeMilliseconds();
        }

        throw CommandFailure.Usage($"{option}: {text}: expected {Expectation}");
    }

    private static long? UnitMs(char unit) => unit switch
    {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => null,
    };
}
