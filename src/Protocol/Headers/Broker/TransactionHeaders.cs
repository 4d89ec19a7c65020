using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>
/// Ends a transaction: END_TRANSACTION (37; RocketMQ: EndTransactionRequestHeader). Text stays as UTF-8 and lives as long as the
/// request. RocketMQ's clients send it one-way.
/// </summary>
public readonly record struct EndTransactionHeader : ICommandHeader<EndTransactionHeader>
{
    /// <summary>What was sent to, or the topic of half messages when this answers a check.</summary>
    public ReadOnlyMemory<byte> Topic { get; init; }

    public ReadOnlyMemory<byte> ProducerGroup { get; init; }

    /// <summary>The queue offset that the send's answer or the check named.</summary>
    public long QueueOffset { get; init; }

    /// <summary>Where the half message is, in bytes from the start of the commit log: what its offset message id holds.</summary>
    public long PhysicalOffset { get; init; }

    /// <summary><see cref="Messages.MessageSysFlag"/>: TransactionCommit, TransactionRollback, or TransactionNone while it is unknown.</summary>
    public int Outcome { get; init; }

    /// <summary>Whether this answers a check.</summary>
    public bool FromCheck { get; init; }

    /// <summary>The unique key.</summary>
    public ReadOnlyMemory<byte> MessageId { get; init; }

    public ReadOnlyMemory<byte> TransactionId { get; init; }

    public ReadOnlyMemory<byte> BrokerName { get; init; }

    public static EndTransactionHeader Read(HeaderFields fields) => new()
    {
        Topic = fields.FindUtf8("topic"u8),
        ProducerGroup = fields.GetUtf8("producerGroup"u8),
        QueueOffset = fields.GetInt64("tranStateTableOffset"u8),
        PhysicalOffset = fields.GetInt64("commitLogOffset"u8),
        Outcome = fields.GetInt32("commitOrRollback"u8),
        FromCheck = fields.FindBoolean("fromTransactionCheck"u8),
        MessageId = fields.GetUtf8("msgId"u8),
        TransactionId = fields.FindUtf8("transactionId"u8),
        BrokerName = fields.FindUtf8("bname"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        WriteText(ref writer, "topic"u8, Topic);
        writer.Write("producerGroup"u8, ProducerGroup.Span);
        writer.Write("tranStateTableOffset"u8, QueueOffset);
        writer.Write("commitLogOffset"u8, PhysicalOffset);
        writer.Write("commitOrRollback"u8, Outcome);
        writer.Write("fromTransactionCheck"u8, FromCheck);
        writer.Write("msgId"u8, MessageId.Span);
        WriteText(ref writer, "transactionId"u8, TransactionId);
        WriteText(ref writer, "bname"u8, BrokerName);
    }

    private static void WriteText(ref HeaderWriter writer, ReadOnlySpan<byte> name, ReadOnlyMemory<byte> value)
    {
        if (!value.IsEmpty)
        {
            writer.Write(name, value.Span);
        }
    }
}

/// <summary>
/// Asks a producer how a transaction of its group ended: CHECK_TRANSACTION_STATE (39; RocketMQ: CheckTransactionStateRequestHeader).
/// One-way; the answer is an END_TRANSACTION. The body is the message as it was sent, as a record of the commit log.
/// </summary>
public sealed record CheckTransactionStateHeader : ICommandHeader<CheckTransactionStateHeader>
{
    /// <summary>The topic of half messages.</summary>
    public string? Topic { get; init; }

    /// <summary>To be given back in the answer.</summary>
    public required long QueueOffset { get; init; }

    /// <inheritdoc cref="QueueOffset"/>
    public required long PhysicalOffset { get; init; }

    /// <summary>The unique key.</summary>
    public string? MessageId { get; init; }

    public string? TransactionId { get; init; }

    /// <summary>The half message's offset message id.</summary>
    public string? OffsetMessageId { get; init; }

    public string? BrokerName { get; init; }

    public static CheckTransactionStateHeader Read(HeaderFields fields) => new()
    {
        Topic = fields.FindString("topic"u8),
        QueueOffset = fields.GetInt64("tranStateTableOffset"u8),
        PhysicalOffset = fields.GetInt64("commitLogOffset"u8),
        MessageId = fields.FindString("msgId"u8),
        TransactionId = fields.FindString("transactionId"u8),
        OffsetMessageId = fields.FindString("offsetMsgId"u8),
        BrokerName = fields.FindString("bname"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
        writer.Write("tranStateTableOffset"u8, QueueOffset);
        writer.Write("commitLogOffset"u8, PhysicalOffset);
        writer.Write("msgId"u8, MessageId);
        writer.Write("transactionId"u8, TransactionId);
        writer.Write("offsetMsgId"u8, OffsetMessageId);
        writer.Write("bname"u8, BrokerName);
    }
}

/// <summary>
/// Lets a transaction be checked again, from the first attempt on: RESUME_CHECK_HALF_MESSAGE (323; RocketMQ:
/// ResumeCheckHalfMessageRequestHeader).
/// </summary>
public sealed record ResumeCheckHalfMessageHeader : ICommandHeader<ResumeCheckHalfMessageHeader>
{
    public string? Topic { get; init; }

    /// <summary>Offset message id of the half message, or of the copy that was discarded after too many checks.</summary>
    public string? MessageId { get; init; }

    public static ResumeCheckHalfMessageHeader Read(HeaderFields fields) => new()
    {
        Topic = fields.FindString("topic"u8),
        MessageId = fields.FindString("msgId"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
        writer.Write("msgId"u8, MessageId);
    }
}

/// <summary>Asks for the transactions that have not ended: LIST_TRANSACTIONS (30010), which RocketMQ does not have.</summary>
public sealed record ListTransactionsHeader : ICommandHeader<ListTransactionsHeader>
{
    /// <summary>Only those of this topic; null for all.</summary>
    public string? Topic { get; init; }

    /// <summary>Only those of this producer group; null for all.</summary>
    public string? ProducerGroup { get; init; }

    /// <summary>How many at most; the server may give fewer.</summary>
    public int MaxCount { get; init; }

    public static ListTransactionsHeader Read(HeaderFields fields) => new()
    {
        Topic = fields.FindString("topic"u8),
        ProducerGroup = fields.FindString("producerGroup"u8),
        MaxCount = fields.FindInt32("maxCount"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
        writer.Write("producerGroup"u8, ProducerGroup);
        writer.Write("maxCount"u8, MaxCount);
    }
}
