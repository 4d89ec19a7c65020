namespace GrayMQ.Protocol.Messages;

/// <summary>A message as a client sees it after decoding: copied out, strings and dictionaries instead of bytes.</summary>
public sealed record ReceivedMessage
{
    public required string Topic { get; init; }

    /// <summary>The broker that it came from, where a client has filled that in: records do not tell.</summary>
    public string? BrokerName { get; init; }

    public int QueueId { get; init; }

    /// <summary>Position in its queue, counted in messages.</summary>
    public long QueueOffset { get; init; }

    /// <summary>Position in the commit log, in bytes.</summary>
    public long PhysicalOffset { get; init; }

    public int Flag { get; init; }

    /// <summary>See <see cref="MessageSysFlag"/>; the compression bit is cleared once the body has been decompressed.</summary>
    public int SysFlag { get; init; }

    public int BodyCrc { get; init; }

    public long BornTimestampMs { get; init; }

    public MessageHost BornHost { get; init; }

    public long StoreTimestampMs { get; init; }

    public MessageHost StoreHost { get; init; }

    public int ReconsumeTimes { get; init; }

    public long PreparedTransactionOffset { get; init; }

    /// <summary>Bytes of the record in the store.</summary>
    public int StoreSize { get; init; }

    public required ReadOnlyMemory<byte> Body { get; init; }

    public required IReadOnlyDictionary<string, string> Properties { get; init; }

    /// <summary>Where it is stored, as hex (<see cref="Messages.MessageId"/>).</summary>
    public required string OffsetMessageId { get; init; }

    /// <summary>The id that its producer gave it (UNIQ_KEY), else <see cref="OffsetMessageId"/>.</summary>
    public string MessageId => Properties.GetValueOrDefault(MessageProperty.UniqueKey) ?? OffsetMessageId;

    public string? Tags => Properties.GetValueOrDefault(MessageProperty.Tags);

    public string? Keys => Properties.GetValueOrDefault(MessageProperty.Keys);
}
