namespace GrayMQ.Protocol.Bodies;

/// <summary>What a broker tells a name server about itself (RocketMQ request 103); see <see cref="RegisterBrokerBodyCodec"/>.</summary>
public sealed record RegisterBrokerBody
{
    public List<string> FilterServerList { get; set => field = value ?? []; } = [];

    public TopicConfigAndMappingSerializeWrapper TopicConfigSerializeWrapper { get; set => field = value ?? new(); } = new();
}
