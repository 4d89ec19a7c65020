using GrayMQ.Protocol.Messages;

namespace GrayMQ.Store.Appending;

/// <summary>
/// A message to append; spans and body are only borrowed for the call. Like <see cref="StoredMessageFields"/> it can be filled in where it is.
/// </summary>
public ref struct MessageAppend
{
    public MessageBody Body { get; set; }

    /// <summary>Encoded properties, exactly as they shall stand in the log.</summary>
    public ReadOnlySpan<byte> Properties { get; set; }

    /// <summary>The application's own.</summary>
    public int Flag { get; set; }

    /// <summary>See <see cref="MessageSysFlag"/>; the bits for IPv6 hosts are set by the store.</summary>
    public int SysFlag { get; set; }

    public long BornTimestampMs { get; set; }

    public MessageHost BornHost { get; set; }

    public MessageHost StoreHost { get; set; }

    public int ReconsumeTimes { get; set; }

    public long PreparedTransactionOffset { get; set; }

    /// <summary>
    /// Whether the caller itself announces what it appends, soon and for several messages at a time
    /// (<see cref="MessageStore.AnnounceAppended"/>): until then it need not be written, dispatched or flushed.
    /// </summary>
    public bool IsAnnouncedLater { get; set; }
}
