using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Where a message was stored, as a client reads it (RocketMQ: SendMessageResponseHeader).</summary>
public sealed record SendMessageResponseHeader : ICommandHeader<SendMessageResponseHeader>
{
    /// <summary>The offset message id: store host and physical offset in hex; those of a batch are separated by commas.</summary>
    public required string MessageId { get; init; }

    public required int QueueId { get; init; }

    public required long QueueOffset { get; init; }

    /// <summary>The message's UNIQ_KEY.</summary>
    public string? TransactionId { get; init; }

    /// <summary>The UNIQ_KEY of a batch as a whole.</summary>
    public string? BatchUniqueId { get; init; }

    /// <summary>What a delayed message is recalled by.</summary>
    public string? RecallHandle { get; init; }

    /// <summary>The broker leaves: the next message is to go elsewhere. Of this project.</summary>
    public bool Leaving { get; init; }

    public static SendMessageResponseHeader Read(HeaderFields fields) => new()
    {
        MessageId = fields.GetString("msgId"u8),
        QueueId = fields.GetInt32("queueId"u8),
        QueueOffset = fields.GetInt64("queueOffset"u8),
        TransactionId = fields.FindString("transactionId"u8),
        BatchUniqueId = fields.FindString("batchUniqId"u8),
        RecallHandle = fields.FindString("recallHandle"u8),
        Leaving = fields.FindBoolean("leaving"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("msgId"u8, MessageId);
        writer.Write("queueId"u8, QueueId);
        writer.Write("queueOffset"u8, QueueOffset);
        writer.Write("transactionId"u8, TransactionId);
        writer.Write("batchUniqId"u8, BatchUniqueId);
        writer.Write("recallHandle"u8, RecallHandle);
        if (Leaving)
        {
            writer.Write("leaving"u8, true);
        }
    }
}
