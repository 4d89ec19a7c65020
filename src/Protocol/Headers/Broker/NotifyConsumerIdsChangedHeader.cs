using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Tells a consumer that its group has other members now (RocketMQ: NotifyConsumerIdsChangedRequestHeader).</summary>
public sealed record NotifyConsumerIdsChangedHeader : ICommandHeader<NotifyConsumerIdsChangedHeader>
{
    public required string ConsumerGroup { get; init; }

    public static NotifyConsumerIdsChangedHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetString("consumerGroup"u8),
    };

    public void Write(ref HeaderWriter writer) => writer.Write("consumerGroup"u8, ConsumerGroup);
}
