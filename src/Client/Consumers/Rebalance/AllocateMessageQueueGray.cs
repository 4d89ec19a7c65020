using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>
/// The rule of groups with gray-aware members only: of a topic that is gray each member of a side gets its share of the gray queues and its
/// share of the normal ones, so that no member is left with queues of the other side alone; of other topics an average share. Brokers give
/// each member the list of its own side, and decide by themselves which queues that side may consume.
/// </summary>
public sealed class AllocateMessageQueueGray : IQueueAllocation
{
    /// <inheritdoc/>
    public string Name => "GRAY";

    /// <summary>The share where nothing is known of the topic's gray queues: an average one.</summary>
    public IReadOnlyList<MessageQueue> Allocate(
        string group, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds) =>
        Allocate(clientId, queues, clientIds, live: null);

    /// <param name="live">The topic's gray queues; null where it has none.</param>
    internal static IReadOnlyList<MessageQueue> Allocate(
        string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds, GrayQueues? live)
    {
        int member = 0;
        while (member < clientIds.Count && clientIds[member] != clientId)
        {
            member++;
        }

        return member == clientIds.Count ? [] : GrayAllocation.Share(queues, queue => queue.QueueId, live, member, clientIds.Count);
    }
}
