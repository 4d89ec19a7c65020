using System.Globalization;

namespace GrayMQ.Store.Timers;

/// <summary>
/// How long a message waits at each delay level, from 1 on (RocketMQ: messageDelayLevel, ScheduleMessageService.parseDelayLevel).
/// Written as numbers with a unit (s, m, h, d), separated by blanks: <c>1s 5s 10s 1m 2h</c>.
/// </summary>
public sealed class DelayLevels
{
    /// <summary>RocketMQ's 18 levels.</summary>
    public const string Default = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";

    /// <summary>Most levels: each has a queue.</summary>
    public const int MaxLevels = 255;

    // What RocketMQ takes for a level that it does not know.
    private const long UnknownLevelMs = 1000;

    private readonly long[] _delaysMs;

    private DelayLevels(string text, long[] delaysMs)
    {
        Text = text;
        _delaysMs = delaysMs;
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>The highest level; higher ones count as it.</summary>
    public int Max => _delaysMs.Length;

    /// <summary>Reads levels; null if the text is none.</summary>
    public static DelayLevels? TryParse(string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is 0 or > MaxLevels)
        {
            return null;
        }

        long[] delaysMs = new long[words.Length];
        for (int i = 0; i < words.Length; i++)
        {
            long unitMs = words[i][^1] switch
            {
                's' => 1000,
                'm' => 60_000,
                'h' => 3_600_000,
                'd' => 86_400_000,
                _ => 0,
            };
            if (unitMs == 0 || !int.TryParse(words[i].AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out int count))
            {
                return null;
            }

            delaysMs[i] = count * unitMs;
        }

        return new DelayLevels(text, delaysMs);
    }

    /// <exception cref="ArgumentException">The text is none.</exception>
    public static DelayLevels Parse(string text) =>
        TryParse(text) ?? throw new ArgumentException($"'{text}' are no delay levels", nameof(text));

    /// <summary>How long a message waits at a level, ms.</summary>
    public long DelayMs(int level) => level >= 1 && level <= _delaysMs.Length ? _delaysMs[level - 1] : UnknownLevelMs;
}
