namespace GrayMQ.Broker.Groups;

/// <summary>How consumer groups come to be. The members are named like RocketMQ's keys.</summary>
public sealed record GroupOptions
{
    /// <summary>Most retry queues of a group.</summary>
    public const int MaxRetryQueueNums = 65_536;

    /// <summary>Whether a group that a client names first is created.</summary>
    public bool AutoCreateSubscriptionGroup { get; init; } = true;

    /// <summary>Whether that holds for names that begin with CID_RMQ_SYS_ in any case.</summary>
    public bool EnableCreateSysGroup { get; init; } = true;
}
