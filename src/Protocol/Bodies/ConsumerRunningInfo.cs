using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

/// <summary>What a consumer tells about its inside (RocketMQ request 307).</summary>
public sealed record ConsumerRunningInfo
{
    public string? Jstack { get; set; }

    public Dictionary<MessageQueue, PopProcessQueueInfo> MqPopTable { get; set => field = value ?? []; } = [];

    public Dictionary<MessageQueue, ProcessQueueInfo> MqTable { get; set => field = value ?? []; } = [];

    public Dictionary<string, string> Properties { get; set => field = value ?? []; } = [];

    /// <summary>By topic.</summary>
    public Dictionary<string, ConsumeStatus> StatusTable { get; set => field = value ?? []; } = [];

    public List<SubscriptionData> SubscriptionSet { get; set => field = value ?? []; } = [];

    public Dictionary<string, string> UserConsumerInfo { get; set => field = value ?? []; } = [];
}

/// <summary>What a consumer holds of a queue; offsets count entries, times are milliseconds since 1970.</summary>
public sealed record ProcessQueueInfo
{
    public int CachedMsgCount { get; set; }

    public long CachedMsgMaxOffset { get; set; }

    public long CachedMsgMinOffset { get; set; }

    public int CachedMsgSizeInMiB { get; set; }

    public long CommitOffset { get; set; }

    /// <summary>JSON name: droped.</summary>
    [JsonPropertyName("droped")]
    public bool Dropped { get; set; }

    public long LastConsumeTimestamp { get; set; }

    public long LastLockTimestamp { get; set; }

    public long LastPullTimestamp { get; set; }

    public bool Locked { get; set; }

    public int TransactionMsgCount { get; set; }

    public long TransactionMsgMaxOffset { get; set; }

    public long TransactionMsgMinOffset { get; set; }

    public long TryUnlockTimes { get; set; }
}

public sealed record PopProcessQueueInfo
{
    /// <summary>JSON name: droped.</summary>
    [JsonPropertyName("droped")]
    public bool Dropped { get; set; }

    public long LastPopTimestamp { get; set; }

    public int WaitAckCount { get; set; }
}

/// <summary>Rates per second, round-trip times in milliseconds.</summary>
public sealed record ConsumeStatus
{
    public long ConsumeFailedMsgs { get; set; }

    [JsonPropertyName("consumeFailedTPS")]
    public double ConsumeFailedTps { get; set; }

    [JsonPropertyName("consumeOKTPS")]
    public double ConsumeOkTps { get; set; }

    [JsonPropertyName("consumeRT")]
    public double ConsumeRtMs { get; set; }

    [JsonPropertyName("pullRT")]
    public double PullRtMs { get; set; }

    [JsonPropertyName("pullTPS")]
    public double PullTps { get; set; }
}

[JsonConverter(typeof(JsonStringEnumConverter<ConsumeOutcome>))]
public enum ConsumeOutcome
{
    [JsonStringEnumMemberName("CR_SUCCESS")]
    Success,

    [JsonStringEnumMemberName("CR_LATER")]
    Later,

    [JsonStringEnumMemberName("CR_ROLLBACK")]
    Rollback,

    [JsonStringEnumMemberName("CR_COMMIT")]
    Commit,

    [JsonStringEnumMemberName("CR_THROW_EXCEPTION")]
    ThrowException,

    [JsonStringEnumMemberName("CR_RETURN_NULL")]
    ReturnNull,
}

/// <summary>How it went when a consumer was handed a message directly (RocketMQ request 309).</summary>
public sealed record ConsumeMessageDirectlyResult
{
    public bool AutoCommit { get; set; } = true;

    public ConsumeOutcome? ConsumeResult { get; set; }

    public bool Order { get; set; }

    public string? Remark { get; set; }

    /// <summary>Milliseconds. JSON name: spentTimeMills.</summary>
    [JsonPropertyName("spentTimeMills")]
    public long SpentTimeMs { get; set; }
}
