namespace GrayMQ.Grpc.Framing;

/// <summary>The header <c>grpc-timeout</c>: 1 to 8 digits and a unit, for instance <c>30S</c> or <c>1500m</c>.</summary>
public static class CallTimeout
{
    private const int MaxDigits = 8;

    // Longer than anybody waits, and short enough for every timer.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(24);

    /// <summary>False for what is not a timeout. One of more than 24 days counts as 24 days.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > MaxDigits + 1)
        {
            return false;
        }

        long number = 0;
        foreach (char digit in text[..^1])
        {
            if (!char.IsAsciiDigit(digit))
            {
                return false;
            }

            number = (number * 10) + (digit - '0');
        }

        long? ticksOfUnit = text[^1] switch
        {
            'H' => TimeSpan.TicksPerHour,
            'M' => TimeSpan.TicksPerMinute,
            'S' => TimeSpan.TicksPerSecond,
            'm' => TimeSpan.TicksPerMillisecond,
            'u' => TimeSpan.TicksPerMicrosecond,
            'n' => 0,
            _ => null,
        };
        if (ticksOfUnit is not long unit)
        {
            return false;
        }

        // At most 8 digits of hours: no overflow.
        long ticks = unit == 0 ? number / TimeSpan.NanosecondsPerTick : number * unit;
        timeout = ticks > Longest.Ticks ? Longest : TimeSpan.FromTicks(ticks);
        return true;
    }
}
