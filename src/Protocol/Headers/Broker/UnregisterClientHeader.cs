using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>A client leaves its groups (RocketMQ: UnregisterClientRequestHeader).</summary>
public sealed record UnregisterClientHeader : ICommandHeader<UnregisterClientHeader>
{
    public required string ClientId { get; init; }

    public string? ProducerGroup { get; init; }

    public string? ConsumerGroup { get; init; }

    public static UnregisterClientHeader Read(HeaderFields fields) => new()
    {
        ClientId = fields.GetString("clientID"u8),
        ProducerGroup = fields.FindString("producerGroup"u8),
        ConsumerGroup = fields.FindString("consumerGroup"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("clientID"u8, ClientId);
        writer.Write("producerGroup"u8, ProducerGroup);
        writer.Write("consumerGroup"u8, ConsumerGroup);
    }
}
