using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>Who works on the queues that a consumer has been given.</summary>
internal interface IQueueOwner
{
    /// <summary>Takes over the queues of a topic that are new, and lets go those that are no longer among them.</summary>
    /// <param name="queues">All queues of the topic that are this consumer's now.</param>
    Task<AssignmentOutcome> AssignAsync(string topic, IReadOnlyCollection<MessageQueue> queues, CancellationToken cancel);

    /// <summary>Lets go the queues of all topics but these.</summary>
    Task RetainTopicsAsync(IReadOnlyCollection<string> topics, CancellationToken cancel);
}

/// <summary>What came of an assignment.</summary>
/// <param name="IsChanged">Queues came or went.</param>
/// <param name="IsComplete">All queues are worked on; if not, it should be tried again soon.</param>
internal readonly record struct AssignmentOutcome(bool IsChanged, bool IsComplete);
