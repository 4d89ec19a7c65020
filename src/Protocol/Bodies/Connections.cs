using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

/// <summary>A client's connection as an administrator sees it.</summary>
public sealed record Connection
{
    /// <summary><c>ip:port</c>.</summary>
    public string? ClientAddr { get; set; }

    public string? ClientId { get; set; }

    /// <summary>RocketMQ: LanguageCode, for instance JAVA, CPP, GO, DOTNET.</summary>
    public string? Language { get; set; }

    /// <summary>RocketMQ: ordinal of MQVersion.Version.</summary>
    public int Version { get; set; }
}

/// <summary>A group's consumers and what they subscribed to (RocketMQ request 203).</summary>
public sealed record ConsumerConnection
{
    public List<Connection> ConnectionSet { get; set => field = value ?? []; } = [];

    public ConsumeFromWhere? ConsumeFromWhere { get; set; }

    public ConsumeType? ConsumeType { get; set; }

    public MessageModel? MessageModel { get; set; }

    /// <summary>By topic.</summary>
    public Dictionary<string, SubscriptionData> SubscriptionTable { get; set => field = value ?? []; } = [];
}

/// <summary>A group's producers (RocketMQ request 204).</summary>
public sealed record ProducerConnection
{
    public List<Connection> ConnectionSet { get; set => field = value ?? []; } = [];
}

/// <summary>All producers by group (RocketMQ request 328).</summary>
public sealed record ProducerTableInfo
{
    public Dictionary<string, List<ProducerInfo>> Data { get; set => field = value ?? []; } = [];
}

public sealed record ProducerInfo
{
    public string? ClientId { get; set; }

    public string? Language { get; set; }

    /// <summary>Milliseconds since 1970 of the last heartbeat.</summary>
    public long LastUpdateTimestamp { get; set; }

    /// <summary>JSON name: remoteIP.</summary>
    [JsonPropertyName("remoteIP")]
    public string? RemoteIp { get; set; }

    public int Version { get; set; }
}

/// <summary>The client ids of a group's consumers (RocketMQ request 38).</summary>
public sealed record GetConsumerListByGroupResponseBody
{
    public List<string> ConsumerIdList { get; set => field = value ?? []; } = [];
}
