using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>
/// Gives back a message that a consumer could not handle: CONSUMER_SEND_MSG_BACK (36; RocketMQ: ConsumerSendMsgBackRequestHeader).
/// </summary>
public sealed record ConsumerSendMessageBackHeader : ICommandHeader<ConsumerSendMessageBackHeader>
{
    /// <summary>Where the message is, in bytes from the start of the commit log.</summary>
    public required long PhysicalOffset { get; init; }

    public required string Group { get; init; }

    /// <summary>When to deliver it again: a delay level; 0 leaves that to the broker, a negative one sends it to the dead letters.</summary>
    public required int DelayLevel { get; init; }

    public string? OriginMessageId { get; init; }

    public string? OriginTopic { get; init; }

    public bool UnitMode { get; init; }

    /// <summary>How often it is tried again before it goes to the dead letters; null leaves that to the group's settings.</summary>
    public int? MaxReconsumeTimes { get; init; }

    public static ConsumerSendMessageBackHeader Read(HeaderFields fields) => new()
    {
        PhysicalOffset = fields.GetInt64("offset"u8),
        Group = fields.GetString("group"u8),
        DelayLevel = fields.GetInt32("delayLevel"u8),
        OriginMessageId = fields.FindString("originMsgId"u8),
        OriginTopic = fields.FindString("originTopic"u8),
        UnitMode = fields.FindBoolean("unitMode"u8),
        MaxReconsumeTimes =
            fields.TryFind("maxReconsumeTimes"u8, out _) ? fields.GetInt32("maxReconsumeTimes"u8) : null,
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("offset"u8, PhysicalOffset);
        writer.Write("group"u8, Group);
        writer.Write("delayLevel"u8, DelayLevel);
        writer.Write("originMsgId"u8, OriginMessageId);
        writer.Write("originTopic"u8, OriginTopic);
        writer.Write("unitMode"u8, UnitMode);
        writer.Write("maxReconsumeTimes"u8, MaxReconsumeTimes);
    }
}
