using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

[JsonConverter(typeof(JsonStringEnumConverter<GroupRetryPolicyType>))]
public enum GroupRetryPolicyType
{
    [JsonStringEnumMemberName("EXPONENTIAL")]
    Exponential,

    [JsonStringEnumMemberName("CUSTOMIZED")]
    Customized,
}

/// <summary>
/// How long a message that failed waits before it is tried again. A policy whose numbers are missing is the customized one with its
/// defaults (RocketMQ: GroupRetryPolicy.getRetryPolicy).
/// </summary>
public sealed record GroupRetryPolicy
{
    private static readonly CustomizedRetryPolicy Default = new();

    public CustomizedRetryPolicy? CustomizedRetryPolicy { get; set; }

    public ExponentialRetryPolicy? ExponentialRetryPolicy { get; set; }

    public GroupRetryPolicyType Type { get; set; } = GroupRetryPolicyType.Customized;

    /// <param name="reconsumeTimes">How often the message was tried again before it failed now; 0 the first time.</param>
    public TimeSpan NextDelay(int reconsumeTimes) => Type switch
    {
        GroupRetryPolicyType.Exponential when ExponentialRetryPolicy is { } policy => policy.NextDelay(reconsumeTimes),
        GroupRetryPolicyType.Customized when CustomizedRetryPolicy is { } policy => policy.NextDelay(reconsumeTimes),
        _ => Default.NextDelay(reconsumeTimes),
    };
}

/// <summary>One delay per attempt, in milliseconds.</summary>
public sealed record CustomizedRetryPolicy
{
    // The list is the one of the delay levels, and the first retry waits for the third of them (RocketMQ: CustomizedRetryPolicy).
    private const int FirstRetry = 2;

    public List<long> Next { get; set => field = value ?? []; } =
    [
        1_000, 5_000, 10_000, 30_000, 60_000, 120_000, 180_000, 240_000, 300_000, 360_000, 420_000, 480_000, 540_000,
        600_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000,
    ];

    /// <summary>The last delay counts for all attempts beyond the list; an empty list waits for nothing.</summary>
    /// <inheritdoc cref="GroupRetryPolicy.NextDelay"/>
    public TimeSpan NextDelay(int reconsumeTimes)
    {
        if (Next.Count == 0)
        {
            return TimeSpan.Zero;
        }

        long index = Math.Min((long)Math.Max(0, reconsumeTimes) + FirstRetry, Next.Count - 1);
        return RetryDelay.Of(Next[(int)index]);
    }
}

/// <summary><c>initial × multiplier^attempt</c>, at most <c>max</c>; milliseconds.</summary>
public sealed record ExponentialRetryPolicy
{
    // RocketMQ: ExponentialRetryPolicy.
    private const int MaxExponent = 32;

    public long Initial { get; set; } = 5_000;

    public long Max { get; set; } = 7_200_000;

    public long Multiplier { get; set; } = 2;

    /// <summary>What would be larger than a number can say is <see cref="Max"/>; RocketMQ's product wraps around.</summary>
    /// <inheritdoc cref="GroupRetryPolicy.NextDelay"/>
    public TimeSpan NextDelay(int reconsumeTimes)
    {
        double delay = Initial * Math.Pow(Multiplier, Math.Clamp(reconsumeTimes, 0, MaxExponent));
        return RetryDelay.Of(delay < Max ? (long)delay : Max);
    }
}

internal static class RetryDelay
{
    /// <summary>No policy may reach beyond this, whatever an administrator wrote.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(365);

    public static TimeSpan Of(long milliseconds) =>
        TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 0, (long)Longest.TotalMilliseconds));
}
