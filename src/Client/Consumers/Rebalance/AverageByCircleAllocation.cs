using GrayMQ.Protocol.Allocations;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>RocketMQ: AllocateMessageQueueAveragelyByCircle.</summary>
internal sealed class AverageByCircleAllocation : IQueueAllocation
{
    public string Name => QueueShares.AverageByCircleName;

    public IReadOnlyList<MessageQueue> Allocate(
        string group, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds) =>
        QueueShares.AverageByCircle(clientId, queues, clientIds);
}
