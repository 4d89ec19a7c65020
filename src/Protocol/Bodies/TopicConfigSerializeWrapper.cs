namespace GrayMQ.Protocol.Bodies;

/// <summary>A broker's topics by name.</summary>
public sealed record TopicConfigSerializeWrapper
{
    public DataVersion DataVersion { get; set; }

    public Dictionary<string, TopicConfig> TopicConfigTable { get; set => field = value ?? []; } = [];
}

/// <summary>A broker's topics by name, and its share of the static topics' queue mappings.</summary>
public sealed record TopicConfigAndMappingSerializeWrapper
{
    public DataVersion DataVersion { get; set; }

    public DataVersion MappingDataVersion { get; set; }

    public Dictionary<string, TopicConfig> TopicConfigTable { get; set => field = value ?? []; } = [];

    public Dictionary<string, TopicQueueMappingDetail> TopicQueueMappingDetailMap { get; set => field = value ?? []; } = [];

    public Dictionary<string, TopicQueueMappingInfo> TopicQueueMappingInfoMap { get; set => field = value ?? []; } = [];
}
