using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Takes a delayed message back before it is delivered: RECALL_MESSAGE (370; RocketMQ: RecallMessageRequestHeader).</summary>
public sealed record RecallMessageHeader : ICommandHeader<RecallMessageHeader>
{
    public string? ProducerGroup { get; init; }

    public required string Topic { get; init; }

    /// <summary>As the reply to the send told it.</summary>
    public required string RecallHandle { get; init; }

    public string? BrokerName { get; init; }

    public static RecallMessageHeader Read(HeaderFields fields) => new()
    {
        ProducerGroup = fields.FindString("producerGroup"u8),
        Topic = fields.GetString("topic"u8),
        RecallHandle = fields.GetString("recallHandle"u8),
        BrokerName = fields.FindString("bname"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("producerGroup"u8, ProducerGroup);
        writer.Write("topic"u8, Topic);
        writer.Write("recallHandle"u8, RecallHandle);
        writer.Write("bname"u8, BrokerName);
    }
}

/// <summary>Which message will not be delivered (RocketMQ: RecallMessageResponseHeader).</summary>
public sealed record RecallMessageResponseHeader : ICommandHeader<RecallMessageResponseHeader>
{
    /// <summary>Its UNIQ_KEY.</summary>
    public required string MessageId { get; init; }

    public static RecallMessageResponseHeader Read(HeaderFields fields) => new() { MessageId = fields.GetString("msgId"u8) };

    public void Write(ref HeaderWriter writer) => writer.Write("msgId"u8, MessageId);
}
