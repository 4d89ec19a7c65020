using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

/// <summary>What a client says about itself every 30 s (RocketMQ request 34).</summary>
public sealed record HeartbeatData
{
    /// <summary>JSON name: clientID.</summary>
    [JsonPropertyName("clientID")]
    public string ClientId { get; set => field = value ?? ""; } = "";

    public List<ConsumerData> ConsumerDataSet { get; set => field = value ?? []; } = [];

    /// <summary>Of heartbeat V2: equal fingerprints mean equal contents; 0 when V2 is off.</summary>
    public int HeartbeatFingerprint { get; set; }

    public List<ProducerData> ProducerDataSet { get; set => field = value ?? []; } = [];

    /// <summary>Of heartbeat V2: the subscriptions are left out since they have not changed.</summary>
    public bool WithoutSub { get; set; }
}

public sealed record ProducerData
{
    /// <summary>Whether a gray-aware client says that it is gray; null when it says nothing. Not of RocketMQ.</summary>
    public bool? GrayFlag { get; set; }

    public string GroupName { get; set => field = value ?? ""; } = "";
}

public sealed record ConsumerData
{
    public ConsumeFromWhere ConsumeFromWhere { get; set; }

    public ConsumeType ConsumeType { get; set; }

    /// <summary>Whether a gray-aware client says that it is gray; null when it says nothing. Not of RocketMQ.</summary>
    public bool? GrayFlag { get; set; }

    public string GroupName { get; set => field = value ?? ""; } = "";

    public MessageModel MessageModel { get; set; } = MessageModel.Clustering;

    public List<SubscriptionData> SubscriptionDataSet { get; set => field = value ?? []; } = [];

    public bool UnitMode { get; set; }
}

/// <summary>What a consumer wants of a topic.</summary>
public sealed record SubscriptionData
{
    /// <summary>The expression that matches everything.</summary>
    public const string SubscribeAll = "*";

    public bool ClassFilterMode { get; set; }

    /// <summary>Java hash codes of the tags: what the consume queue is filtered by.</summary>
    public List<int> CodeSet { get; set => field = value ?? []; } = [];

    /// <summary>TAG or SQL92; null means TAG.</summary>
    public string? ExpressionType { get; set; } = "TAG";

    /// <summary>The expression, for instance <c>TagA || TagB</c>.</summary>
    public string SubString { get; set => field = value ?? ""; } = "";

    /// <summary>Milliseconds since 1970 at the client when it subscribed: the newest version wins.</summary>
    public long SubVersion { get; set; }

    public List<string> TagsSet { get; set => field = value ?? []; } = [];

    public string Topic { get; set => field = value ?? ""; } = "";
}

/// <summary>Asks a broker whether it can filter by an expression (RocketMQ request 46).</summary>
public sealed record CheckClientRequestBody
{
    public string ClientId { get; set => field = value ?? ""; } = "";

    public string Group { get; set => field = value ?? ""; } = "";

    public string? Namespace { get; set; }

    public SubscriptionData? SubscriptionData { get; set; }
}

/// <summary>Answer to RocketMQ request 345.</summary>
public sealed record QuerySubscriptionResponseBody
{
    public string? Group { get; set; }

    public SubscriptionData? SubscriptionData { get; set; }

    public string? Topic { get; set; }
}
