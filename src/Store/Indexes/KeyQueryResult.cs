namespace GrayMQ.Store.Indexes;

/// <summary>Messages that have a key.</summary>
/// <param name="PhysicalOffsets">Where they stand in the log, newest first.</param>
/// <param name="LastUpdateTimestampMs">Store time of the newest message that the index knows.</param>
/// <param name="LastUpdatePhysicalOffset">Where that message stands.</param>
public sealed record KeyQueryResult(
    IReadOnlyList<long> PhysicalOffsets, long LastUpdateTimestampMs, long LastUpdatePhysicalOffset);
