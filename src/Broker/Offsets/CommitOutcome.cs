namespace GrayMQ.Broker.Offsets;

/// <summary>What became of an offset that a client committed.</summary>
public enum CommitOutcome
{
    Committed,

    /// <summary>
    /// It is a negative number, which clients send when they do not know an offset yet; or it does not count, because the queue belongs to
    /// another side of a gray release, or the offset is of before.
    /// </summary>
    Ignored,

    /// <summary>An administrator has reset the queue and the consumer has not heard of it yet; what it says is of before.</summary>
    ResetPending,

    /// <summary>Somebody else has moved the group meanwhile, and his word stands.</summary>
    Overtaken,
}
