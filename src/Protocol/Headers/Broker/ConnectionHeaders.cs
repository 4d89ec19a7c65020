using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Asks who consumes for a group: GET_CONSUMER_CONNECTION_LIST (203).</summary>
public sealed record GetConsumerConnectionListHeader : ICommandHeader<GetConsumerConnectionListHeader>
{
    public required string ConsumerGroup { get; init; }

    public static GetConsumerConnectionListHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetString("consumerGroup"u8),
    };

    public void Write(ref HeaderWriter writer) => writer.Write("consumerGroup"u8, ConsumerGroup);
}

/// <summary>Asks who produces for a group: GET_PRODUCER_CONNECTION_LIST (204).</summary>
public sealed record GetProducerConnectionListHeader : ICommandHeader<GetProducerConnectionListHeader>
{
    public required string ProducerGroup { get; init; }

    public static GetProducerConnectionListHeader Read(HeaderFields fields) => new()
    {
        ProducerGroup = fields.GetString("producerGroup"u8),
    };

    public void Write(ref HeaderWriter writer) => writer.Write("producerGroup"u8, ProducerGroup);
}

/// <summary>
/// Names a group and a topic that it consumes: QUERY_CONSUME_TIME_SPAN (303), QUERY_SUBSCRIPTION_BY_CONSUMER (345).
/// </summary>
public sealed record GroupTopicHeader : ICommandHeader<GroupTopicHeader>
{
    public required string Group { get; init; }

    public required string Topic { get; init; }

    public static GroupTopicHeader Read(HeaderFields fields) => new()
    {
        Group = fields.GetString("group"u8),
        Topic = fields.GetString("topic"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("group"u8, Group);
        writer.Write("topic"u8, Topic);
    }
}
