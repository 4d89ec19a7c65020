using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>
/// Asks for messages that stay invisible to others for a while: POP_MESSAGE (200050; RocketMQ: PopMessageRequestHeader). Text stays as
/// UTF-8 and lives as long as the request.
/// </summary>
public readonly record struct PopMessageHeader : ICommandHeader<PopMessageHeader>
{
    /// <summary>Stands for all queues of the topic at the broker.</summary>
    public const int AnyQueue = -1;

    public ReadOnlyMemory<byte> ConsumerGroup { get; init; }

    public ReadOnlyMemory<byte> Topic { get; init; }

    /// <summary>The queue, or <see cref="AnyQueue"/>.</summary>
    public int QueueId { get; init; }

    /// <summary>Most messages to answer with.</summary>
    public int MaxMessages { get; init; }

    /// <summary>For how long nobody else gets them, in milliseconds.</summary>
    public long InvisibleTimeMs { get; init; }

    /// <summary>How long the broker may keep the request where there is nothing, in milliseconds; 0 answers at once.</summary>
    public long PollTimeMs { get; init; }

    /// <summary>When the client asked, milliseconds since 1970; 0 leaves that to the broker.</summary>
    public long BornTimeMs { get; init; }

    /// <summary>Where a group begins that has no offset yet: 0 with the first message, 1 with the next one (RocketMQ: ConsumeInitMode).</summary>
    public int InitMode { get; init; }

    /// <summary>TAG or SQL92; TAG when it is empty.</summary>
    public ReadOnlyMemory<byte> ExpressionType { get; init; }

    /// <summary>All messages when it is empty.</summary>
    public ReadOnlyMemory<byte> Expression { get; init; }

    /// <summary>Whether a queue is locked until what was popped of it is acknowledged.</summary>
    public bool IsOrder { get; init; }

    /// <summary>Names an attempt of an orderly pop: the same one again is not held up by the lock that it took.</summary>
    public ReadOnlyMemory<byte> AttemptId { get; init; }

    public ReadOnlyMemory<byte> BrokerName { get; init; }

    public static PopMessageHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetUtf8("consumerGroup"u8),
        Topic = fields.GetUtf8("topic"u8),
        QueueId = fields.GetInt32("queueId"u8),
        MaxMessages = fields.GetInt32("maxMsgNums"u8),
        InvisibleTimeMs = fields.GetInt64("invisibleTime"u8),
        PollTimeMs = fields.GetInt64("pollTime"u8),
        BornTimeMs = fields.FindInt64("bornTime"u8),
        InitMode = fields.GetInt32("initMode"u8),
        ExpressionType = fields.FindUtf8("expType"u8),
        Expression = fields.FindUtf8("exp"u8),
        IsOrder = fields.FindBoolean("order"u8),
        AttemptId = fields.FindUtf8("attemptId"u8),
        BrokerName = fields.FindUtf8("bname"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup.Span);
        writer.Write("topic"u8, Topic.Span);
        writer.Write("queueId"u8, QueueId);
        writer.Write("maxMsgNums"u8, MaxMessages);
        writer.Write("invisibleTime"u8, InvisibleTimeMs);
        writer.Write("pollTime"u8, PollTimeMs);
        writer.Write("bornTime"u8, BornTimeMs);
        writer.Write("initMode"u8, InitMode);
        if (!ExpressionType.IsEmpty)
        {
            writer.Write("expType"u8, ExpressionType.Span);
        }

        if (!Expression.IsEmpty)
        {
            writer.Write("exp"u8, Expression.Span);
        }

        writer.Write("order"u8, IsOrder);
        if (!AttemptId.IsEmpty)
        {
            writer.Write("attemptId"u8, AttemptId.Span);
        }

        if (!BrokerName.IsEmpty)
        {
            writer.Write("bname"u8, BrokerName.Span);
        }
    }
}

/// <summary>What clients build receipt handles from (RocketMQ: PopMessageResponseHeader).</summary>
public readonly record struct PopMessageResponseHeader : ICommandHeader<PopMessageResponseHeader>
{
    /// <summary>Milliseconds since 1970.</summary>
    public long PopTimeMs { get; init; }

    public long InvisibleTimeMs { get; init; }

    /// <summary>The revive queue of the check points; 999 for orderly pops.</summary>
    public int ReviveQueueId { get; init; }

    /// <summary>How many messages are left.</summary>
    public long RestCount { get; init; }

    /// <summary><c>retry queueId startOffset;…</c>, retry being 0, or 1 or 2 for the forms of retry topics.</summary>
    public ReadOnlyMemory<byte> StartOffsetInfo { get; init; }

    /// <summary><c>retry queueId offset,offset,…;…</c></summary>
    public ReadOnlyMemory<byte> MessageOffsetInfo { get; init; }

    /// <summary><c>retry queueId count;retry qoQUEUEID%OFFSET count;…</c>: how often messages of orderly pops came before.</summary>
    public ReadOnlyMemory<byte> OrderCountInfo { get; init; }

    public static PopMessageResponseHeader Read(HeaderFields fields) => new()
    {
        PopTimeMs = fields.FindInt64("popTime"u8),
        InvisibleTimeMs = fields.FindInt64("invisibleTime"u8),
        ReviveQueueId = fields.FindInt32("reviveQid"u8),
        RestCount = fields.FindInt64("restNum"u8),
        StartOffsetInfo = fields.FindUtf8("startOffsetInfo"u8),
        MessageOffsetInfo = fields.FindUtf8("msgOffsetInfo"u8),
        OrderCountInfo = fields.FindUtf8("orderCountInfo"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("popTime"u8, PopTimeMs);
        writer.Write("invisibleTime"u8, InvisibleTimeMs);
        writer.Write("reviveQid"u8, ReviveQueueId);
        writer.Write("restNum"u8, RestCount);
        if (!StartOffsetInfo.IsEmpty)
        {
            writer.Write("startOffsetInfo"u8, StartOffsetInfo.Span);
        }

        if (!MessageOffsetInfo.IsEmpty)
        {
            writer.Write("msgOffsetInfo"u8, MessageOffsetInfo.Span);
        }

        if (!OrderCountInfo.IsEmpty)
        {
            writer.Write("orderCountInfo"u8, OrderCountInfo.Span);
        }
    }
}
