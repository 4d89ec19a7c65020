using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Asks to be told when there is something to pop: NOTIFICATION (200054; RocketMQ: NotificationRequestHeader).</summary>
public readonly record struct NotificationHeader : ICommandHeader<NotificationHeader>
{
    public ReadOnlyMemory<byte> ConsumerGroup { get; init; }

    public ReadOnlyMemory<byte> Topic { get; init; }

    /// <summary>Negative for all queues.</summary>
    public int QueueId { get; init; }

    /// <inheritdoc cref="PopMessageHeader.PollTimeMs"/>
    public long PollTimeMs { get; init; }

    /// <inheritdoc cref="PopMessageHeader.BornTimeMs"/>
    public long BornTimeMs { get; init; }

    public bool Order { get; init; }

    public ReadOnlyMemory<byte> AttemptId { get; init; }

    public static NotificationHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetUtf8("consumerGroup"u8),
        Topic = fields.GetUtf8("topic"u8),
        QueueId = fields.GetInt32("queueId"u8),
        PollTimeMs = fields.GetInt64("pollTime"u8),
        BornTimeMs = fields.FindInt64("bornTime"u8),
        Order = fields.FindBoolean("order"u8),
        AttemptId = fields.FindUtf8("attemptId"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup.Span);
        writer.Write("topic"u8, Topic.Span);
        writer.Write("queueId"u8, QueueId);
        writer.Write("pollTime"u8, PollTimeMs);
        writer.Write("bornTime"u8, BornTimeMs);
        writer.Write("order"u8, Order);
        if (!AttemptId.IsEmpty)
        {
            writer.Write("attemptId"u8, AttemptId.Span);
        }
    }
}

/// <summary>RocketMQ: NotificationResponseHeader.</summary>
public readonly record struct NotificationResponseHeader : ICommandHeader<NotificationResponseHeader>
{
    public bool HasMessage { get; init; }

    /// <summary>As many requests wait as may: this one was answered at once.</summary>
    public bool PollingFull { get; init; }

    public static NotificationResponseHeader Read(HeaderFields fields) => new()
    {
        HasMessage = fields.GetBoolean("hasMsg"u8),
        PollingFull = fields.FindBoolean("pollingFull"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("hasMsg"u8, HasMessage);
        writer.Write("pollingFull"u8, PollingFull);
    }
}

/// <summary>Asks how many pops wait: POLLING_INFO (200055; RocketMQ: PollingInfoRequestHeader).</summary>
public readonly record struct PollingInfoHeader : ICommandHeader<PollingInfoHeader>
{
    public ReadOnlyMemory<byte> ConsumerGroup { get; init; }

    public ReadOnlyMemory<byte> Topic { get; init; }

    /// <summary>Those that ask for this queue; negative for those that ask for all.</summary>
    public int QueueId { get; init; }

    public static PollingInfoHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetUtf8("consumerGroup"u8),
        Topic = fields.GetUtf8("topic"u8),
        QueueId = fields.GetInt32("queueId"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup.Span);
        writer.Write("topic"u8, Topic.Span);
        writer.Write("queueId"u8, QueueId);
    }
}

/// <summary>RocketMQ: PollingInfoResponseHeader.</summary>
public readonly record struct PollingInfoResponseHeader(int PollingCount) : ICommandHeader<PollingInfoResponseHeader>
{
    public static PollingInfoResponseHeader Read(HeaderFields fields) => new(fields.GetInt32("pollingNum"u8));

    public void Write(ref HeaderWriter writer) => writer.Write("pollingNum"u8, PollingCount);
}

/// <summary>Asks what could be popped, without taking it: PEEK_MESSAGE (200052; RocketMQ: PeekMessageRequestHeader).</summary>
public readonly record struct PeekMessageHeader : ICommandHeader<PeekMessageHeader>
{
    public ReadOnlyMemory<byte> ConsumerGroup { get; init; }

    public ReadOnlyMemory<byte> Topic { get; init; }

    /// <summary>Negative for all queues.</summary>
    public int QueueId { get; init; }

    public int MaxMessages { get; init; }

    public static PeekMessageHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetUtf8("consumerGroup"u8),
        Topic = fields.GetUtf8("topic"u8),
        QueueId = fields.GetInt32("queueId"u8),
        MaxMessages = fields.GetInt32("maxMsgNums"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup.Span);
        writer.Write("topic"u8, Topic.Span);
        writer.Write("queueId"u8, QueueId);
        writer.Write("maxMsgNums"u8, MaxMessages);
    }
}
