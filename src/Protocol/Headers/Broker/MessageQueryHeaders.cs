using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Asks for a message by its physical offset: VIEW_MESSAGE_BY_ID (33).</summary>
public readonly record struct ViewMessageHeader(long Offset, string? Topic = null) : ICommandHeader<ViewMessageHeader>
{
    public static ViewMessageHeader Read(HeaderFields fields) => new(fields.GetInt64("offset"u8), fields.FindString("topic"u8));

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("offset"u8, Offset);
        writer.Write("topic"u8, Topic);
    }
}

/// <summary>Asks for messages by key: QUERY_MESSAGE (12).</summary>
public sealed record QueryMessageHeader : ICommandHeader<QueryMessageHeader>
{
    public required string Topic { get; init; }

    /// <summary>One of a message's KEYS, or its UNIQ_KEY.</summary>
    public required string Key { get; init; }

    public required int MaxMessages { get; init; }

    /// <summary>First store time to look at, milliseconds since 1970.</summary>
    public required long BeginTimestampMs { get; init; }

    /// <summary>Last store time to look at.</summary>
    public required long EndTimestampMs { get; init; }

    /// <summary>Whether <see cref="Key"/> is a UNIQ_KEY.</summary>
    public bool IsUniqueKey { get; init; }

    public static QueryMessageHeader Read(HeaderFields fields) => new()
    {
        Topic = fields.GetString("topic"u8),
        Key = fields.GetString("key"u8),
        MaxMessages = fields.GetInt32("maxNum"u8),
        BeginTimestampMs = fields.GetInt64("beginTimestamp"u8),
        EndTimestampMs = fields.GetInt64("endTimestamp"u8),
        IsUniqueKey = fields.FindBoolean("_UNIQUE_KEY_QUERY"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
        writer.Write("key"u8, Key);
        writer.Write("maxNum"u8, MaxMessages);
        writer.Write("beginTimestamp"u8, BeginTimestampMs);
        writer.Write("endTimestamp"u8, EndTimestampMs);
        writer.Write("_UNIQUE_KEY_QUERY"u8, IsUniqueKey);
    }
}

/// <summary>How far the key index has come (RocketMQ: QueryMessageResponseHeader).</summary>
public readonly record struct QueryMessageResponseHeader(long IndexLastUpdateTimestampMs, long IndexLastUpdatePhysicalOffset)
    : ICommandHeader<QueryMessageResponseHeader>
{
    public static QueryMessageResponseHeader Read(HeaderFields fields) =>
        new(fields.GetInt64("indexLastUpdateTimestamp"u8), fields.GetInt64("indexLastUpdatePhyoffset"u8));

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("indexLastUpdateTimestamp"u8, IndexLastUpdateTimestampMs);
        writer.Write("indexLastUpdatePhyoffset"u8, IndexLastUpdatePhysicalOffset);
    }
}
