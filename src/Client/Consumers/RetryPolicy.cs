namespace GrayMQ.Client.Consumers;

/// <summary>How long messages that failed stay away before they come again.</summary>
public sealed class RetryPolicy
{
    // RocketMQ: DefaultMQPushConsumerImpl.popDelayLevel.
    private static readonly int[] PopDelaysSeconds =
        [10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];

    private readonly TimeSpan[] _delays;

    private RetryPolicy(TimeSpan[] delays) => _delays = delays;

    /// <summary>As RocketMQ's clients have it for pop: 10 s, 30 s, 1 to 10 minutes, then 20 and 30 minutes, 1 and 2 hours.</summary>
    public static RetryPolicy Default { get; } =
        new([.. PopDelaysSeconds.Select(seconds => TimeSpan.FromSeconds(seconds))]);

    /// <summary>One delay for each failure; the last one holds for all further ones.</summary>
    /// <exception cref="ArgumentException">There is none, or one that is not more than zero.</exception>
    public static RetryPolicy Fixed(params IReadOnlyCollection<TimeSpan> delays)
    {
        ArgumentNullException.ThrowIfNull(delays);
        return delays.Count > 0 && delays.All(delay => delay > TimeSpan.Zero)
            ? new RetryPolicy([.. delays])
            : throw new ArgumentException("expected one delay at least, and each more than zero", nameof(delays));
    }

    /// <summary>A first delay, each further one <paramref name="factor"/> times as long, up to the longest.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A delay is not more than zero, the longest less than the first, or the factor not more than 1.
    /// </exception>
    public static RetryPolicy Exponential(TimeSpan first, TimeSpan longest, double factor = 2)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(first, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(longest, first);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(factor, 1);
        const int MostSteps = 64;
        var delays = new List<TimeSpan> { first };
        while (delays[^1] < longest && delays.Count < MostSteps)
        {
            double next = delays[^1].TotalMilliseconds * factor;
            delays.Add(next < longest.TotalMilliseconds ? TimeSpan.FromMilliseconds(next) : longest);
        }

        return new RetryPolicy([.. delays]);
    }

    /// <summary>The delay after so many failures, the latest one included.</summary>
    public TimeSpan DelayAfter(int failures) => _delays[Math.Clamp(failures - 1, 0, _delays.Length - 1)];
}
