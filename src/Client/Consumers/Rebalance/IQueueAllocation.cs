using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>
/// Shares the queues of a topic out among the consumers of a group (RocketMQ: AllocateMessageQueueStrategy). Each consumer computes its
/// own share, so that all of a group have to use the same rule.
/// </summary>
public interface IQueueAllocation
{
    /// <summary>The rule's name, as RocketMQ writes it.</summary>
    string Name { get; }

    /// <summary>The share of one consumer.</summary>
    /// <param name="group">The consumer group.</param>
    /// <param name="clientId">Whose share to compute; one of <paramref name="clientIds"/>.</param>
    /// <param name="queues">All queues of the topic, sorted.</param>
    /// <param name="clientIds">All consumers of the group, sorted by their UTF-16 code units.</param>
    IReadOnlyList<MessageQueue> Allocate(
        string group, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds);
}
