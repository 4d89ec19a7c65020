using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>
/// Has a popped message come again after another time than it was popped with: CHANGE_MESSAGE_INVISIBLETIME (200053; RocketMQ:
/// ChangeInvisibleTimeRequestHeader). Text lives as long as the request.
/// </summary>
public readonly record struct ChangeInvisibleTimeHeader : ICommandHeader<ChangeInvisibleTimeHeader>
{
    public ReadOnlyMemory<byte> ConsumerGroup { get; init; }

    /// <summary>The topic that stores the message: a retry topic where it was popped from one.</summary>
    public ReadOnlyMemory<byte> Topic { get; init; }

    public int QueueId { get; init; }

    /// <inheritdoc cref="AckMessageHeader.ExtraInfo"/>
    public ReadOnlyMemory<byte> ExtraInfo { get; init; }

    public long Offset { get; init; }

    /// <summary>From now on, in milliseconds.</summary>
    public long InvisibleTimeMs { get; init; }

    public ReadOnlyMemory<byte> BrokerName { get; init; }

    /// <summary>
    /// Whether the handle goes on to count, for the time is only prolonged: then that of the messages that were popped with it is, too. Never on
    /// the wire: said within a broker, which does it for its clients.
    /// </summary>
    public bool KeepsHandle { get; init; }

    public static ChangeInvisibleTimeHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetUtf8("consumerGroup"u8),
        Topic = fields.GetUtf8("topic"u8),
        QueueId = fields.GetInt32("queueId"u8),
        ExtraInfo = fields.GetUtf8("extraInfo"u8),
        Offset = fields.GetInt64("offset"u8),
        InvisibleTimeMs = fields.GetInt64("invisibleTime"u8),
        BrokerName = fields.FindUtf8("bname"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup.Span);
        writer.Write("topic"u8, Topic.Span);
        writer.Write("queueId"u8, QueueId);
        writer.Write("extraInfo"u8, ExtraInfo.Span);
        writer.Write("offset"u8, Offset);
        writer.Write("invisibleTime"u8, InvisibleTimeMs);
        if (!BrokerName.IsEmpty)
        {
            writer.Write("bname"u8, BrokerName.Span);
        }
    }
}

/// <summary>What the new receipt handle is built from (RocketMQ: ChangeInvisibleTimeResponseHeader).</summary>
public readonly record struct ChangeInvisibleTimeResponseHeader : ICommandHeader<ChangeInvisibleTimeResponseHeader>
{
    /// <summary>Milliseconds since 1970.</summary>
    public long PopTimeMs { get; init; }

    public long InvisibleTimeMs { get; init; }

    public int ReviveQueueId { get; init; }

    public static ChangeInvisibleTimeResponseHeader Read(HeaderFields fields) => new()
    {
        PopTimeMs = fields.GetInt64("popTime"u8),
        InvisibleTimeMs = fields.GetInt64("invisibleTime"u8),
        ReviveQueueId = fields.GetInt32("reviveQid"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("popTime"u8, PopTimeMs);
        writer.Write("invisibleTime"u8, InvisibleTimeMs);
        writer.Write("reviveQid"u8, ReviveQueueId);
    }
}
