using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>RocketMQ: AllocateMessageQueueAveragelyByCircle.</summary>
internal sealed class AverageByCircleAllocation : IQueueAllocation
{
    public string Name => "AVG_BY_CIRCLE";

    public IReadOnlyList<MessageQueue> Allocate(
        string group, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds)
    {
        int index = clientIds.IndexOf(clientId);
        return index < 0 ? [] : [.. queues.Where((_, i) => i % clientIds.Count == index)];
    }
}
