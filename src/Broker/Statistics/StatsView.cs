namespace GrayMQ.Broker.Statistics;

/// <summary>One statistic over the last minute, hour and day.</summary>
public readonly record struct StatsView(StatsSum Minute, StatsSum Hour, StatsSum Day)
{
    internal static StatsView? OfMessages(RecentTraffic? recent) => Of(recent, static traffic => traffic.Messages);

    internal static StatsView? OfBytes(RecentTraffic? recent) => Of(recent, static traffic => traffic.Bytes);

    private static StatsView? Of(RecentTraffic? recent, Func<Traffic, long> value) => recent is { } traffic
        ? new StatsView(Of(traffic.Minute, value), Of(traffic.Hour, value), Of(traffic.Day, value))
        : null;

    private static StatsSum Of(TrafficInSpan traffic, Func<Traffic, long> value)
    {
        long sum = value(traffic.Sum);
        return new StatsSum(
            sum,
            sum / traffic.Span.TotalSeconds,
            traffic.Sum.Requests > 0 ? (double)sum / traffic.Sum.Requests : 0);
    }
}

/// <param name="PerSecond">RocketMQ calls it TPS whatever is counted.</param>
/// <param name="PerRequest">RocketMQ: avgpt.</param>
public readonly record struct StatsSum(long Sum, double PerSecond, double PerRequest);
