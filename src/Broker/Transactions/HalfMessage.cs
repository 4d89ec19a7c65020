namespace GrayMQ.Broker.Transactions;

/// <summary>
/// A half message whose transaction has not ended. Each check stores it again, with a higher count, as RocketMQ does; all records of
/// one transaction are told by the offset of the first, its root.
/// </summary>
/// <param name="Root">Physical offset of the record that the producer sent.</param>
/// <param name="PhysicalOffset">Of the last record; the root itself before the first check.</param>
/// <param name="QueueOffset">Of the last record, in the queue of half messages; -1 if it has to be read from the record.</param>
/// <param name="StoredMs">When the root was stored, ms.</param>
/// <param name="DueMs">When to ask its producers, or to give up, ms.</param>
/// <param name="Checks">How often producers have been asked.</param>
/// <param name="Topic">What it was sent to.</param>
internal readonly record struct HalfMessage(
    long Root, long PhysicalOffset, long QueueOffset, long StoredMs, long DueMs, int Checks, HalfTopic Topic);
