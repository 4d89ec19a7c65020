using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Lets a group go on from elsewhere in a topic (RocketMQ: ResetOffsetRequestHeader; requests 220 and 222).</summary>
public sealed record ResetOffsetHeader : ICommandHeader<ResetOffsetHeader>
{
    public required string Topic { get; init; }

    public required string Group { get; init; }

    /// <summary>The queue; −1 for all.</summary>
    public int QueueId { get; init; } = -1;

    /// <summary>Where to go on in that queue; null or −1 leaves it to <see cref="TimestampMs"/>.</summary>
    public long? Offset { get; init; }

    /// <summary>Go on with what was stored at this time, milliseconds since 1970; a negative one means the end of the queue.</summary>
    public long TimestampMs { get; init; }

    /// <summary>Whether to go forward as well as back.</summary>
    public bool IsForce { get; init; }

    public static ResetOffsetHeader Read(HeaderFields fields) => new()
    {
        Topic = fields.GetString("topic"u8),
        Group = fields.GetString("group"u8),
        QueueId = fields.FindInt32("queueId"u8, missing: -1),
        Offset = fields.TryFind("offset"u8, out _) ? fields.GetInt64("offset"u8) : null,
        TimestampMs = fields.FindInt64("timestamp"u8),
        IsForce = fields.FindBoolean("isForce"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
        writer.Write("group"u8, Group);
        writer.Write("queueId"u8, QueueId);
        writer.Write("offset"u8, Offset);
        writer.Write("timestamp"u8, TimestampMs);
        writer.Write("isForce"u8, IsForce);
    }
}
