using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

/// <summary>A consumer group at one broker.</summary>
public sealed record SubscriptionGroupConfig
{
    public Dictionary<string, string> Attributes { get; set => field = value ?? []; } = [];

    /// <summary>The broker id that the group is told to pull from.</summary>
    public long BrokerId { get; set; }

    public bool ConsumeBroadcastEnable { get; set; } = true;

    public bool ConsumeEnable { get; set; } = true;

    public bool ConsumeFromMinEnable { get; set; } = true;

    public bool ConsumeMessageOrderly { get; set; }

    public int ConsumeTimeoutMinute { get; set; } = 15;

    public string GroupName { get; set => field = value ?? ""; } = "";

    public GroupRetryPolicy? GroupRetryPolicy { get; set; } = new();

    public int GroupSysFlag { get; set; }

    /// <summary>Whether the consumers are told when one of them comes or goes.</summary>
    public bool NotifyConsumerIdsChangedEnable { get; set; } = true;

    public int RetryMaxTimes { get; set; } = 16;

    public int RetryQueueNums { get; set; } = 1;

    public List<SimpleSubscriptionData>? SubscriptionDataSet { get; set; }

    /// <summary>The broker id to go to when the master has more than memory holds to catch up.</summary>
    public long WhichBrokerWhenConsumeSlowly { get; set; } = 1;
}

[JsonConverter(typeof(JsonStringEnumConverter<GroupRetryPolicyType>))]
public enum GroupRetryPolicyType
{
    [JsonStringEnumMemberName("EXPONENTIAL")]
    Exponential,

    [JsonStringEnumMemberName("CUSTOMIZED")]
    Customized,
}

/// <summary>How long a message that failed waits before it is tried again.</summary>
public sealed record GroupRetryPolicy
{
    public CustomizedRetryPolicy? CustomizedRetryPolicy { get; set; }

    public ExponentialRetryPolicy? ExponentialRetryPolicy { get; set; }

    public GroupRetryPolicyType Type { get; set; } = GroupRetryPolicyType.Customized;
}

/// <summary>One delay per attempt, in milliseconds.</summary>
public sealed record CustomizedRetryPolicy
{
    public List<long> Next { get; set => field = value ?? []; } =
    [
        1_000, 5_000, 10_000, 30_000, 60_000, 120_000, 180_000, 240_000, 300_000, 360_000, 420_000, 480_000, 540_000,
        600_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000,
    ];
}

/// <summary><c>initial × multiplier^attempt</c>, at most <c>max</c>; milliseconds.</summary>
public sealed record ExponentialRetryPolicy
{
    public long Initial { get; set; } = 5_000;

    public long Max { get; set; } = 7_200_000;

    public long Multiplier { get; set; } = 2;
}

/// <summary>A subscription that is set by an administrator.</summary>
public sealed record SimpleSubscriptionData
{
    public string? Expression { get; set; }

    public string? ExpressionType { get; set; }

    public string? Topic { get; set; }

    public long Version { get; set; }
}

/// <summary>A broker's consumer groups by name (RocketMQ request 201).</summary>
public sealed record SubscriptionGroupWrapper
{
    public DataVersion DataVersion { get; set; }

    /// <summary>By group, then by topic: bits of permissions that the group lacks (RocketMQ: PermName).</summary>
    public Dictionary<string, Dictionary<string, int>> ForbiddenTable { get; set => field = value ?? []; } = [];

    public Dictionary<string, SubscriptionGroupConfig> SubscriptionGroupTable { get; set => field = value ?? []; } = [];
}

/// <summary>Create several groups (RocketMQ request 225).</summary>
public sealed record SubscriptionGroupList
{
    public List<SubscriptionGroupConfig> GroupConfigList { get; set => field = value ?? []; } = [];
}

/// <summary>Whether a group may read a topic (RocketMQ requests 353 and 354).</summary>
public sealed record GroupForbidden
{
    public string? Group { get; set; }

    public bool? Readable { get; set; }

    public string? Topic { get; set; }
}
