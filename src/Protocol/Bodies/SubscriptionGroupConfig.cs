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

    /// <summary>See <see cref="NextRetryDelay"/>.</summary>
    public GroupRetryPolicy? GroupRetryPolicy { get; set; } = new();

    public int GroupSysFlag { get; set; }

    /// <summary>Whether the consumers are told when one of them comes or goes.</summary>
    public bool NotifyConsumerIdsChangedEnable { get; set; } = true;

    /// <summary>How often a message is tried again before it is a dead letter, unless the client says otherwise.</summary>
    public int RetryMaxTimes { get; set; } = 16;

    /// <summary>Queues of the retry topic; 0 does without retries.</summary>
    public int RetryQueueNums { get; set; } = 1;

    public List<SimpleSubscriptionData>? SubscriptionDataSet { get; set; }

    /// <summary>The broker id to go to when the master has more than memory holds to catch up.</summary>
    public long WhichBrokerWhenConsumeSlowly { get; set; } = 1;

    /// <summary>How long a message waits that failed and had been tried again <paramref name="reconsumeTimes"/> times before.</summary>
    public TimeSpan NextRetryDelay(int reconsumeTimes) => (GroupRetryPolicy ?? new GroupRetryPolicy()).NextDelay(reconsumeTimes);
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
