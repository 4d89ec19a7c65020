using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>
/// Asks where a group goes on in a queue (RocketMQ: QueryConsumerOffsetRequestHeader). Text stays as UTF-8 and lives as long as the
/// request.
/// </summary>
public readonly record struct QueryConsumerOffsetHeader : ICommandHeader<QueryConsumerOffsetHeader>
{
    public ReadOnlyMemory<byte> ConsumerGroup { get; init; }

    public ReadOnlyMemory<byte> Topic { get; init; }

    public int QueueId { get; init; }

    /// <summary>False: do not answer 0 for a queue of which the group knows nothing though it has its first message still.</summary>
    public bool? SetZeroIfNotFound { get; init; }

    public static QueryConsumerOffsetHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetUtf8("consumerGroup"u8),
        Topic = fields.GetUtf8("topic"u8),
        QueueId = fields.GetInt32("queueId"u8),
        SetZeroIfNotFound = fields.TryFind("setZeroIfNotFound"u8, out _) ? fields.GetBoolean("setZeroIfNotFound"u8) : null,
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup.Span);
        writer.Write("topic"u8, Topic.Span);
        writer.Write("queueId"u8, QueueId);
        writer.Write("setZeroIfNotFound"u8, SetZeroIfNotFound);
    }
}

/// <summary>
/// Says how far a group has consumed a queue (RocketMQ: UpdateConsumerOffsetRequestHeader). Text stays as UTF-8 and lives as
/// long as the request.
/// </summary>
public readonly record struct UpdateConsumerOffsetHeader : ICommandHeader<UpdateConsumerOffsetHeader>
{
    public ReadOnlyMemory<byte> ConsumerGroup { get; init; }

    public ReadOnlyMemory<byte> Topic { get; init; }

    public int QueueId { get; init; }

    /// <summary>The offset of the first message that is not consumed yet.</summary>
    public long CommitOffset { get; init; }

    public static UpdateConsumerOffsetHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetUtf8("consumerGroup"u8),
        Topic = fields.GetUtf8("topic"u8),
        QueueId = fields.GetInt32("queueId"u8),
        CommitOffset = fields.GetInt64("commitOffset"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup.Span);
        writer.Write("topic"u8, Topic.Span);
        writer.Write("queueId"u8, QueueId);
        writer.Write("commitOffset"u8, CommitOffset);
    }
}
