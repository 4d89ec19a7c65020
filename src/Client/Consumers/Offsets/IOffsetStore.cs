using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Offsets;

/// <summary>How far a consumer group has come in its queues.</summary>
internal interface IOffsetStore
{
    /// <summary>What is stored; null when the group has never stored any for the queue.</summary>
    Task<long?> ReadAsync(MessageQueue queue, CancellationToken cancel);

    /// <summary>What this consumer has come to, known here only until it is persisted; null when nothing is known.</summary>
    long? Peek(MessageQueue queue);

    /// <summary>Notes progress; an offset below what is known is ignored.</summary>
    void Update(MessageQueue queue, long offset);

    /// <summary>Notes that the group goes on elsewhere, back or forth.</summary>
    void Reset(MessageQueue queue, long offset);

    /// <summary>
    /// Stores what is known of these queues. What cannot be stored is logged and stays to be stored; of several failures, one is
    /// thrown when all queues have been tried.
    /// </summary>
    Task PersistAsync(IReadOnlyCollection<MessageQueue> queues, CancellationToken cancel);

    /// <summary>Forgets what is known here of a queue that is no longer this consumer's.</summary>
    void Forget(MessageQueue queue);
}
