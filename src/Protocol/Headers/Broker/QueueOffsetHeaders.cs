using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Names a queue of the broker that is asked: GET_MAX_OFFSET (30), GET_MIN_OFFSET (31), GET_EARLIEST_MSG_STORETIME (32).</summary>
public readonly record struct QueueHeader(string Topic, int QueueId) : ICommandHeader<QueueHeader>
{
    public static QueueHeader Read(HeaderFields fields) => new(fields.GetString("topic"u8), fields.GetInt32("queueId"u8));

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
        writer.Write("queueId"u8, QueueId);
    }
}

/// <summary>Answers with a queue offset (RocketMQ: GetMaxOffsetResponseHeader and its like).</summary>
public readonly record struct OffsetResponseHeader(long Offset) : ICommandHeader<OffsetResponseHeader>
{
    public static OffsetResponseHeader Read(HeaderFields fields) => new(fields.GetInt64("offset"u8));

    public void Write(ref HeaderWriter writer) => writer.Write("offset"u8, Offset);
}

/// <summary>Answers with a time, milliseconds since 1970 (RocketMQ: GetEarliestMsgStoretimeResponseHeader).</summary>
public readonly record struct TimestampResponseHeader(long TimestampMs) : ICommandHeader<TimestampResponseHeader>
{
    public static TimestampResponseHeader Read(HeaderFields fields) => new(fields.GetInt64("timestamp"u8));

    public void Write(ref HeaderWriter writer) => writer.Write("timestamp"u8, TimestampMs);
}

/// <summary>Asks for the offset at a time: SEARCH_OFFSET_BY_TIMESTAMP (29).</summary>
public readonly record struct SearchOffsetHeader(string Topic, int QueueId, long TimestampMs, string? BoundaryType)
    : ICommandHeader<SearchOffsetHeader>
{
    public static SearchOffsetHeader Read(HeaderFields fields) => new(
        fields.GetString("topic"u8),
        fields.GetInt32("queueId"u8),
        fields.GetInt64("timestamp"u8),
        fields.FindString("boundaryType"u8));

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
        writer.Write("queueId"u8, QueueId);
        writer.Write("timestamp"u8, TimestampMs);
        writer.Write("boundaryType"u8, BoundaryType);
    }
}
