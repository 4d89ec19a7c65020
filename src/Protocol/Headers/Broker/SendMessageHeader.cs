using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>
/// What a producer says of a message (RocketMQ: SendMessageRequestHeader, and SendMessageRequestHeaderV2 whose field names are
/// single letters). Text stays as UTF-8: on the broker's hot path it is never made into strings, and lives as long as the request.
/// </summary>
public readonly record struct SendMessageHeader : IHeaderFields
{
    public ReadOnlyMemory<byte> ProducerGroup { get; init; }

    public ReadOnlyMemory<byte> Topic { get; init; }

    /// <summary>The topic whose settings a topic that does not exist yet is created with: TBW102.</summary>
    public ReadOnlyMemory<byte> DefaultTopic { get; init; }

    public int DefaultTopicQueueNums { get; init; }

    /// <summary>The queue to store in; negative leaves the choice to the broker.</summary>
    public int QueueId { get; init; }

    public int SysFlag { get; init; }

    public long BornTimestampMs { get; init; }

    public int Flag { get; init; }

    /// <summary>Name, U+0001, value, U+0002, and so on.</summary>
    public ReadOnlyMemory<byte> Properties { get; init; }

    public int ReconsumeTimes { get; init; }

    public bool UnitMode { get; init; }

    /// <summary>How often a consumer retries before the message goes to its dead-letter topic; null leaves that to the group.</summary>
    public int? MaxReconsumeTimes { get; init; }

    /// <summary>Whether the body holds several messages.</summary>
    public bool Batch { get; init; }

    public ReadOnlyMemory<byte> BrokerName { get; init; }

    /// <summary>Reads the fields of SEND_MESSAGE (10).</summary>
    public static SendMessageHeader Read(HeaderFields fields) => new()
    {
        ProducerGroup = fields.GetUtf8("producerGroup"u8),
        Topic = fields.GetUtf8("topic"u8),
        DefaultTopic = fields.GetUtf8("defaultTopic"u8),
        DefaultTopicQueueNums = fields.GetInt32("defaultTopicQueueNums"u8),
        QueueId = fields.GetInt32("queueId"u8),
        SysFlag = fields.GetInt32("sysFlag"u8),
        BornTimestampMs = fields.GetInt64("bornTimestamp"u8),
        Flag = fields.GetInt32("flag"u8),
        Properties = fields.FindUtf8("properties"u8),
        ReconsumeTimes = fields.FindInt32("reconsumeTimes"u8),
        UnitMode = fields.FindBoolean("unitMode"u8),
        MaxReconsumeTimes = FindMaxReconsumeTimes(fields, "maxReconsumeTimes"u8),
        Batch = fields.FindBoolean("batch"u8),
    };

    /// <summary>Reads the fields of SEND_MESSAGE_V2 (310) and SEND_BATCH_MESSAGE (320).</summary>
    public static SendMessageHeader ReadV2(HeaderFields fields) => SendHeaderReader.Read(fields);

    /// <summary>Writes the single-letter form.</summary>
    public void Write(ref HeaderWriter writer)
    {
        writer.Write("a"u8, ProducerGroup.Span);
        writer.Write("b"u8, Topic.Span);
        writer.Write("c"u8, DefaultTopic.Span);
        writer.Write("d"u8, DefaultTopicQueueNums);
        writer.Write("e"u8, QueueId);
        writer.Write("f"u8, SysFlag);
        writer.Write("g"u8, BornTimestampMs);
        writer.Write("h"u8, Flag);
        writer.Write("i"u8, Properties.Span);
        writer.Write("j"u8, ReconsumeTimes);
        writer.Write("k"u8, UnitMode);
        writer.Write("l"u8, MaxReconsumeTimes);
        writer.Write("m"u8, Batch);
        if (!BrokerName.IsEmpty)
        {
            writer.Write("n"u8, BrokerName.Span);
        }
    }

    private static int? FindMaxReconsumeTimes(HeaderFields fields, ReadOnlySpan<byte> name) =>
        fields.TryFind(name, out _) ? fields.GetInt32(name) : null;
}
