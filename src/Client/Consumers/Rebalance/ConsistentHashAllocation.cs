using GrayMQ.Protocol.Allocations;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>RocketMQ: AllocateMessageQueueConsistentHash.</summary>
internal sealed class ConsistentHashAllocation : IQueueAllocation
{
    public const int DefaultVirtualNodes = QueueShares.DefaultVirtualNodes;

    private readonly int _virtualNodes;

    public ConsistentHashAllocation(int virtualNodes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(virtualNodes);
        _virtualNodes = virtualNodes;
    }

    public string Name => QueueShares.ConsistentHashName;

    public IReadOnlyList<MessageQueue> Allocate(
        string group, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds) =>
        QueueShares.ConsistentHash(clientId, queues, clientIds, _virtualNodes);
}
