namespace GrayMQ.Store.Appending;

/// <summary>How an append went: those of RocketMQ's PutMessageStatus that a store without replicas can give.</summary>
public enum AppendStatus
{
    Ok,

    /// <summary>Stored, but not known to be on disk in time, or the flush failed.</summary>
    FlushDiskTimeout,

    /// <summary>The store takes no messages: it is closing, the disk is nearly full, or a flush has failed.</summary>
    ServiceNotAvailable,

    /// <summary>There is no room for another commit-log file.</summary>
    CreateMappedFileFailed,

    /// <summary>Body or record too large, or a batch that does not add up.</summary>
    MessageIllegal,

    /// <summary>Properties longer than a record can say.</summary>
    PropertiesSizeExceeded,

    /// <summary>The queue is being removed with its topic, or was: find it again (<see cref="MessageStore.GetQueue(string, int)"/>).</summary>
    QueueRetired,

    UnknownError,

    /// <summary>Which queue a message belongs to has changed since its sender chose one (<see cref="MessageStore.Cut"/>): choose again.</summary>
    MappingChanged,
}

/// <summary>Where a message was stored. Everything but <see cref="Status"/> is only meaningful with <see cref="AppendStatus.Ok"/>.</summary>
/// <param name="PhysicalOffset">Bytes, in the commit log.</param>
/// <param name="QueueOffset">Entries, in its queue; 0 for half and rolled-back messages, which enter no queue.</param>
/// <param name="Bytes">Size of the record.</param>
public readonly record struct AppendResult(
    AppendStatus Status, long PhysicalOffset, long QueueOffset, int Bytes, long StoreTimestampMs)
{
    /// <summary>The queue in which it was stored.</summary>
    public int QueueId { get; init; }

    /// <summary>Where the record ends: what to hand to <see cref="MessageStore.WaitForFlushAsync"/>.</summary>
    public long EndOffset => PhysicalOffset + Bytes;

    public bool IsOk => Status == AppendStatus.Ok;
}

/// <summary>Where a batch was stored: its messages stand one behind the other, with consecutive queue offsets.</summary>
/// <param name="QueueOffset">Of the first message.</param>
/// <param name="Count">Messages.</param>
/// <param name="Bytes">Of all records together.</param>
public readonly record struct AppendBatchResult(
    AppendStatus Status, long PhysicalOffset, long QueueOffset, int Count, int Bytes, long StoreTimestampMs)
{
    /// <summary>The queue in which it was stored.</summary>
    public int QueueId { get; init; }

    /// <inheritdoc cref="AppendResult.EndOffset"/>
    public long EndOffset => PhysicalOffset + Bytes;

    public bool IsOk => Status == AppendStatus.Ok;
}
