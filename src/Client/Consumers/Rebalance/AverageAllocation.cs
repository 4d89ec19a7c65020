using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>RocketMQ: AllocateMessageQueueAveragely.</summary>
internal sealed class AverageAllocation : IQueueAllocation
{
    public string Name => "AVG";

    public IReadOnlyList<MessageQueue> Allocate(
        string group, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds)
    {
        int index = clientIds.IndexOf(clientId);
        if (index < 0)
        {
            return [];
        }

        (int share, int extra) = Math.DivRem(queues.Count, clientIds.Count);
        int start = (index * share) + Math.Min(index, extra);
        int count = share + (index < extra ? 1 : 0);
        return [.. queues.Skip(start).Take(count)];
    }
}
