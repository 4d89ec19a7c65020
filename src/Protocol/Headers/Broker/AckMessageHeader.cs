using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Acknowledges one popped message: ACK_MESSAGE (200051; RocketMQ: AckMessageRequestHeader). Text lives as long as the request.</summary>
public readonly record struct AckMessageHeader : ICommandHeader<AckMessageHeader>
{
    public ReadOnlyMemory<byte> ConsumerGroup { get; init; }

    /// <summary>The topic that stores the message: a retry topic where it was popped from one.</summary>
    public ReadOnlyMemory<byte> Topic { get; init; }

    public int QueueId { get; init; }

    /// <summary><c>startOffset popTime invisibleTime reviveQueue retry broker queue offset</c>, separated by spaces.</summary>
    public ReadOnlyMemory<byte> ExtraInfo { get; init; }

    public long Offset { get; init; }

    public ReadOnlyMemory<byte> BrokerName { get; init; }

    /// <summary>
    /// Whether another ack follows at once, along with which this one is to be written. Never on the wire: said within a broker, where a
    /// request holds several.
    /// </summary>
    public bool IsFollowed { get; init; }

    public static AckMessageHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetUtf8("consumerGroup"u8),
        Topic = fields.GetUtf8("topic"u8),
        QueueId = fields.GetInt32("queueId"u8),
        ExtraInfo = fields.GetUtf8("extraInfo"u8),
        Offset = fields.GetInt64("offset"u8),
        BrokerName = fields.FindUtf8("bname"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup.Span);
        writer.Write("topic"u8, Topic.Span);
        writer.Write("queueId"u8, QueueId);
        writer.Write("extraInfo"u8, ExtraInfo.Span);
        writer.Write("offset"u8, Offset);
        if (!BrokerName.IsEmpty)
        {
            writer.Write("bname"u8, BrokerName.Span);
        }
    }
}
