using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Asks how far a group has come: GET_CONSUME_STATS (208; RocketMQ: GetConsumeStatsRequestHeader).</summary>
/// <param name="ConsumerGroup">The group.</param>
/// <param name="Topic">Null or empty for all topics that the group consumes.</param>
public readonly record struct ConsumeStatsHeader(string ConsumerGroup, string? Topic = null) : ICommandHeader<ConsumeStatsHeader>
{
    public static ConsumeStatsHeader Read(HeaderFields fields) =>
        new(fields.GetString("consumerGroup"u8), fields.FindString("topic"u8));

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup);
        writer.Write("topic"u8, Topic);
    }
}
