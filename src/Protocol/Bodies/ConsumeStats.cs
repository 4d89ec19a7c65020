using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

/// <summary>A group's progress by queue (RocketMQ request 208).</summary>
public sealed record ConsumeStats
{
    /// <summary>Messages per second.</summary>
    public double ConsumeTps { get; set; }

    public Dictionary<MessageQueue, OffsetWrapper> OffsetTable { get; set => field = value ?? []; } = [];
}

/// <summary>A group's progress in one queue; offsets count entries.</summary>
public sealed record OffsetWrapper
{
    /// <summary>The queue's maximum.</summary>
    public long BrokerOffset { get; set; }

    /// <summary>What the group committed.</summary>
    public long ConsumerOffset { get; set; }

    /// <summary>Store time of the last consumed message, milliseconds since 1970; 0 when it is unknown.</summary>
    public long LastTimestamp { get; set; }

    /// <summary>What the group pulled last.</summary>
    public long PullOffset { get; set; }
}

/// <summary>All groups' progress at a broker (RocketMQ request 317).</summary>
public sealed record ConsumeStatsList
{
    public string? BrokerAddr { get; set; }

    /// <summary>One map per group, from its name to its progress per topic. JSON name: consumeStatsList.</summary>
    [JsonPropertyName("consumeStatsList")]
    public List<Dictionary<string, List<ConsumeStats>>> Groups { get; set => field = value ?? []; } = [];

    /// <summary>Messages not consumed yet.</summary>
    public long TotalDiff { get; set; }

    /// <summary>Messages pulled and not consumed yet.</summary>
    public long TotalInflightDiff { get; set; }
}

/// <summary>A topic's queues at a broker (RocketMQ request 202).</summary>
public sealed record TopicStatsTable
{
    public Dictionary<MessageQueue, TopicOffset> OffsetTable { get; set => field = value ?? []; } = [];

    /// <summary>Messages per second.</summary>
    public double TopicPutTps { get; set; }
}

/// <summary>The bounds of one queue; offsets count entries.</summary>
public sealed record TopicOffset
{
    /// <summary>Store time of the newest message, milliseconds since 1970; 0 when the queue is empty.</summary>
    public long LastUpdateTimestamp { get; set; }

    public long MaxOffset { get; set; }

    public long MinOffset { get; set; }
}

/// <summary>A figure of the broker's statistics (RocketMQ request 315).</summary>
public sealed record BrokerStatsData
{
    public BrokerStatsItem StatsDay { get; set => field = value ?? new(); } = new();

    public BrokerStatsItem StatsHour { get; set => field = value ?? new(); } = new();

    public BrokerStatsItem StatsMinute { get; set => field = value ?? new(); } = new();
}

public sealed record BrokerStatsItem
{
    /// <summary>Average per event. JSON name: avgpt.</summary>
    [JsonPropertyName("avgpt")]
    public double AveragePerEvent { get; set; }

    public long Sum { get; set; }

    /// <summary>Per second.</summary>
    public double Tps { get; set; }
}
