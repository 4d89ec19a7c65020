using GrayMQ.Protocol.Messages;

namespace GrayMQ.Store.Appending;

/// <summary>A message to append; spans and body are only borrowed for the call.</summary>
public readonly ref struct MessageAppend
{
    public MessageBody Body { get; init; }

    /// <summary>Encoded properties, exactly as they shall stand in the log.</summary>
    public ReadOnlySpan<byte> Properties { get; init; }

    /// <summary>The application's own.</summary>
    public int Flag { get; init; }

    /// <summary>See <see cref="MessageSysFlag"/>; the bits for IPv6 hosts are set by the store.</summary>
    public int SysFlag { get; init; }

    public long BornTimestampMs { get; init; }

    public MessageHost BornHost { get; init; }

    public MessageHost StoreHost { get; init; }

    public int ReconsumeTimes { get; init; }

    public long PreparedTransactionOffset { get; init; }

    /// <summary>
    /// Whether the caller itself announces what it appends, soon and for several messages at a time
    /// (<see cref="MessageStore.AnnounceAppended"/>): until then it need not be written, dispatched or flushed.
    /// </summary>
    public bool IsAnnouncedLater { get; init; }
}
