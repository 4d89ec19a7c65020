namespace GrayMQ.Client.Consumers.Pulling;

/// <summary>How a consumer pulls.</summary>
/// <param name="Group">The consumer group.</param>
/// <param name="BatchSize">Most messages of one pull.</param>
/// <param name="MaxBytes">Most bytes of one pull; brokers have limits of their own.</param>
/// <param name="IsLite">
/// Whether to pull as RocketMQ's lite pull consumer does: each pull carries its subscription, where those of push consumers rely on
/// the heartbeat's.
/// </param>
internal sealed record PullSettings(string Group, int BatchSize, int MaxBytes, bool IsLite)
{
    /// <summary>How long a broker may keep a request for which it has nothing (RocketMQ: BROKER_SUSPEND_MAX_TIME_MILLIS).</summary>
    public TimeSpan Suspend { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long an answer may take all in all (RocketMQ: CONSUMER_TIMEOUT_MILLIS_WHEN_SUSPEND).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);
}
