using GrayMQ.Protocol.Allocations;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>RocketMQ: AllocateMessageQueueAveragely.</summary>
internal sealed class AverageAllocation : IQueueAllocation
{
    public string Name => QueueShares.AverageName;

    public IReadOnlyList<MessageQueue> Allocate(
        string group, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds) =>
        QueueShares.Average(clientId, queues, clientIds);
}
