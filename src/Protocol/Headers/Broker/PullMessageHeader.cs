using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>
/// Asks for the messages of a queue (RocketMQ: PullMessageRequestHeader). Text stays as UTF-8 and lives as long as the request.
/// </summary>
public readonly record struct PullMessageHeader : ICommandHeader<PullMessageHeader>
{
    public ReadOnlyMemory<byte> ConsumerGroup { get; init; }

    public ReadOnlyMemory<byte> Topic { get; init; }

    public int QueueId { get; init; }

    public long QueueOffset { get; init; }

    public int MaxMessages { get; init; }

    public PullSysFlag SysFlag { get; init; }

    public long CommitOffset { get; init; }

    /// <summary>How long the broker may keep the request, in milliseconds.</summary>
    public long SuspendTimeoutMs { get; init; }

    public ReadOnlyMemory<byte> Subscription { get; init; }

    public long SubVersion { get; init; }

    /// <summary>TAG when it is empty.</summary>
    public ReadOnlyMemory<byte> ExpressionType { get; init; }

    /// <summary>Most bytes of messages to answer with; null leaves that to the broker.</summary>
    public int? MaxMessageBytes { get; init; }

    /// <summary>Whether a gray-aware client says that it is gray; null when it says nothing. Not of RocketMQ.</summary>
    public bool? GrayFlag { get; init; }

    public static PullMessageHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetUtf8("consumerGroup"u8),
        Topic = fields.GetUtf8("topic"u8),
        QueueId = fields.GetInt32("queueId"u8),
        QueueOffset = fields.GetInt64("queueOffset"u8),
        MaxMessages = fields.GetInt32("maxMsgNums"u8),
        SysFlag = (PullSysFlag)fields.GetInt32("sysFlag"u8),
        CommitOffset = fields.GetInt64("commitOffset"u8),
        SuspendTimeoutMs = fields.GetInt64("suspendTimeoutMillis"u8),
        Subscription = fields.FindUtf8("subscription"u8),
        SubVersion = fields.GetInt64("subVersion"u8),
        ExpressionType = fields.FindUtf8("expressionType"u8),
        MaxMessageBytes = fields.TryFind("maxMsgBytes"u8, out _) ? fields.GetInt32("maxMsgBytes"u8) : null,
        GrayFlag = fields.TryFind("grayFlag"u8, out _) ? fields.GetBoolean("grayFlag"u8) : null,
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup.Span);
        writer.Write("topic"u8, Topic.Span);
        writer.Write("queueId"u8, QueueId);
        writer.Write("queueOffset"u8, QueueOffset);
        writer.Write("maxMsgNums"u8, MaxMessages);
        writer.Write("sysFlag"u8, (int)SysFlag);
        writer.Write("commitOffset"u8, CommitOffset);
        writer.Write("suspendTimeoutMillis"u8, SuspendTimeoutMs);
        if (!Subscription.IsEmpty)
        {
            writer.Write("subscription"u8, Subscription.Span);
        }

        writer.Write("subVersion"u8, SubVersion);
        if (!ExpressionType.IsEmpty)
        {
            writer.Write("expressionType"u8, ExpressionType.Span);
        }

        writer.Write("maxMsgBytes"u8, MaxMessageBytes);
        writer.Write("grayFlag"u8, GrayFlag);
    }
}
