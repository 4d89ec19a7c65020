using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

/// <summary>Keys and values: the KV configuration, a broker's runtime information.</summary>
public sealed record KVTable
{
    public Dictionary<string, string> Table { get; set => field = value ?? []; } = [];
}

/// <summary>Names of topics.</summary>
public sealed record TopicList
{
    /// <summary>An address of any broker; only in the list of system topics.</summary>
    public string? BrokerAddr { get; set; }

    /// <summary>JSON name: topicList.</summary>
    [JsonPropertyName("topicList")]
    public List<string> Topics { get; set => field = value ?? []; } = [];
}

/// <summary>Names of consumer groups.</summary>
public sealed record GroupList
{
    /// <summary>JSON name: groupList.</summary>
    [JsonPropertyName("groupList")]
    public List<string> Groups { get; set => field = value ?? []; } = [];
}
