using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

[JsonConverter(typeof(JsonStringEnumConverter<TopicFilterType>))]
public enum TopicFilterType
{
    [JsonStringEnumMemberName("SINGLE_TAG")]
    SingleTag,

    [JsonStringEnumMemberName("MULTI_TAG")]
    MultiTag,
}

/// <summary>A topic at one broker.</summary>
public sealed record TopicConfig
{
    /// <summary>For instance <c>message.type</c> (NORMAL, FIFO, DELAY, TRANSACTION); neither key nor value holds a space.</summary>
    public Dictionary<string, string> Attributes { get; set => field = value ?? []; } = [];

    /// <summary>Whether clients are told to keep the order of queues across brokers.</summary>
    public bool Order { get; set; }

    /// <summary>Bits: 4 read, 2 write, 1 inherit (RocketMQ: PermName).</summary>
    public int Perm { get; set; } = 6;

    public int ReadQueueNums { get; set; } = 16;

    public TopicFilterType TopicFilterType { get; set; }

    public string TopicName { get; set => field = value ?? ""; } = "";

    /// <summary>Bits: 1 unit, 2 unit subscription (RocketMQ: TopicSysFlag).</summary>
    public int TopicSysFlag { get; set; }

    public int WriteQueueNums { get; set; } = 16;

    public bool Equals(TopicConfig? other) =>
        other is not null
        && TopicName == other.TopicName
        && ReadQueueNums == other.ReadQueueNums
        && WriteQueueNums == other.WriteQueueNums
        && Perm == other.Perm
        && TopicFilterType == other.TopicFilterType
        && TopicSysFlag == other.TopicSysFlag
        && Order == other.Order
        && Attributes.Count == other.Attributes.Count
        && Attributes.All(pair => other.Attributes.TryGetValue(pair.Key, out var value) && value == pair.Value);

    public override int GetHashCode() => HashCode.Combine(TopicName, ReadQueueNums, WriteQueueNums, Perm, TopicSysFlag);
}

/// <summary>Create several topics (RocketMQ request 18).</summary>
public sealed record CreateTopicListRequestBody
{
    public List<TopicConfig> TopicConfigList { get; set => field = value ?? []; } = [];
}
