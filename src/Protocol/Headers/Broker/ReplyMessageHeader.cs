using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>
/// Hands the reply to a request to the client that waits for it; the body is that of the message: PUSH_REPLY_MESSAGE_TO_CLIENT (326;
/// RocketMQ: ReplyMessageRequestHeader).
/// </summary>
public sealed record ReplyMessageHeader : ICommandHeader<ReplyMessageHeader>
{
    public required string ProducerGroup { get; init; }

    public required string Topic { get; init; }

    public required string DefaultTopic { get; init; }

    public required int DefaultTopicQueueNums { get; init; }

    public required int QueueId { get; init; }

    /// <summary>See <see cref="Messages.MessageSysFlag"/>.</summary>
    public required int SysFlag { get; init; }

    public required long BornTimestampMs { get; init; }

    public required int Flag { get; init; }

    /// <summary>Name, U+0001, value, U+0002, and so on; CORRELATION_ID tells which request it is the reply to.</summary>
    public string? Properties { get; init; }

    public int ReconsumeTimes { get; init; }

    public bool UnitMode { get; init; }

    /// <summary>Who replied, <c>ip:port</c>.</summary>
    public required string BornHost { get; init; }

    /// <summary>The broker, <c>ip:port</c>.</summary>
    public required string StoreHost { get; init; }

    public required long StoreTimestampMs { get; init; }

    public static ReplyMessageHeader Read(HeaderFields fields) => new()
    {
        ProducerGroup = fields.GetString("producerGroup"u8),
        Topic = fields.GetString("topic"u8),
        DefaultTopic = fields.GetString("defaultTopic"u8),
        DefaultTopicQueueNums = fields.GetInt32("defaultTopicQueueNums"u8),
        QueueId = fields.GetInt32("queueId"u8),
        SysFlag = fields.GetInt32("sysFlag"u8),
        BornTimestampMs = fields.GetInt64("bornTimestamp"u8),
        Flag = fields.GetInt32("flag"u8),
        Properties = fields.FindString("properties"u8),
        ReconsumeTimes = fields.FindInt32("reconsumeTimes"u8),
        UnitMode = fields.FindBoolean("unitMode"u8),
        BornHost = fields.GetString("bornHost"u8),
        StoreHost = fields.GetString("storeHost"u8),
        StoreTimestampMs = fields.GetInt64("storeTimestamp"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("producerGroup"u8, ProducerGroup);
        writer.Write("topic"u8, Topic);
        writer.Write("defaultTopic"u8, DefaultTopic);
        writer.Write("defaultTopicQueueNums"u8, DefaultTopicQueueNums);
        writer.Write("queueId"u8, QueueId);
        writer.Write("sysFlag"u8, SysFlag);
        writer.Write("bornTimestamp"u8, BornTimestampMs);
        writer.Write("flag"u8, Flag);
        writer.Write("properties"u8, Properties);
        writer.Write("reconsumeTimes"u8, ReconsumeTimes);
        writer.Write("unitMode"u8, UnitMode);
        writer.Write("bornHost"u8, BornHost);
        writer.Write("storeHost"u8, StoreHost);
        writer.Write("storeTimestamp"u8, StoreTimestampMs);
    }
}
