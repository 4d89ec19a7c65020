namespace GrayMQ.Broker.Statistics;

/// <summary>
/// The last minute, hour and day of a total that only grows, as RocketMQ's StatsItem keeps them: 6 times 10 s, 6 times
/// 10 min, 24 times 1 h.
/// </summary>
internal sealed class TrafficHistory(long nowMs)
{
    /// <summary>Between two samples of the minute.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private const int TicksPerTenMinutes = 60;
    private const int TicksPerHour = 360;

    private readonly TrafficWindow _minute = new(6, nowMs);
    private readonly TrafficWindow _hour = new(6, nowMs);
    private readonly TrafficWindow _day = new(24, nowMs);
    private readonly Lock _gate = new();

    /// <param name="tick">Counts the samples since the start, from 1.</param>
    public void Sample(long tick, long nowMs, Traffic total)
    {
        lock (_gate)
        {
            _minute.Add(nowMs, total);
            if (tick % TicksPerTenMinutes == 0)
            {
                _hour.Add(nowMs, total);
            }

            if (tick % TicksPerHour == 0)
            {
                _day.Add(nowMs, total);
            }
        }
    }

    public RecentTraffic Recent(long nowMs, Traffic total)
    {
        lock (_gate)
        {
            return new RecentTraffic(_minute.Sum(nowMs, total), _hour.Sum(nowMs, total), _day.Sum(nowMs, total));
        }
    }
}

/// <summary>What went by in the last minute, hour and day.</summary>
public readonly record struct RecentTraffic(TrafficInSpan Minute, TrafficInSpan Hour, TrafficInSpan Day);
