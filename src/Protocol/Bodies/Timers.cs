namespace GrayMQ.Protocol.Bodies;

/// <summary>How far each delay level was delivered, by level (RocketMQ: delayOffset.json).</summary>
public sealed record DelayOffsetSerializeWrapper
{
    public DataVersion DataVersion { get; set; }

    public Dictionary<int, long> OffsetTable { get; set => field = value ?? []; } = [];
}

/// <summary>Pending messages by the topic that they are meant for (RocketMQ request 61).</summary>
public sealed record TimerMetricsSerializeWrapper
{
    public DataVersion DataVersion { get; set; }

    public Dictionary<string, TimerMetric> TimingCount { get; set => field = value ?? []; } = [];
}

/// <summary>Pending messages of a topic.</summary>
public sealed record TimerMetric
{
    public long Count { get; set; }

    /// <summary>When they were counted, ms.</summary>
    public long TimeStamp { get; set; }
}

/// <summary>The pending messages of a broker (an own request: ShowTimers).</summary>
public sealed record PendingTimers
{
    /// <summary>By delay level; 0 for those with a time of their own.</summary>
    public Dictionary<int, long> ByLevel { get; set => field = value ?? []; } = [];

    /// <summary>By the topic that they are meant for.</summary>
    public Dictionary<string, long> ByTopic { get; set => field = value ?? []; } = [];

    /// <summary>Messages delivered since the broker's start.</summary>
    public long Delivered { get; set; }

    /// <summary>When the first one is due, ms; -1 if nothing is pending. In the past: delivery is behind.</summary>
    public long NextDue { get; set; }

    /// <summary>The broker's clock, ms.</summary>
    public long Now { get; set; }

    public long Total { get; set; }
}
