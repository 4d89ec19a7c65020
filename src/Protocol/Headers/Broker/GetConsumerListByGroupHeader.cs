using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Asks for the client ids of a group's consumers (RocketMQ: GetConsumerListByGroupRequestHeader).</summary>
public sealed record GetConsumerListByGroupHeader : ICommandHeader<GetConsumerListByGroupHeader>
{
    public required string ConsumerGroup { get; init; }

    public static GetConsumerListByGroupHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetString("consumerGroup"u8),
    };

    public void Write(ref HeaderWriter writer) => writer.Write("consumerGroup"u8, ConsumerGroup);
}
