namespace GrayMQ.Store.Pops;

/// <summary>
/// What a receipt handle names a batch of its queue by (RocketMQ: ExtraInfoUtil): where the pop began to read, and when it was, in
/// ms since 1970. No two batches in hand of one queue have the same.
/// </summary>
public readonly record struct CheckPointId(long StartOffset, long PopTimeMs);
