using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>RocketMQ: AllocateMessageQueueByConfig.</summary>
internal sealed class ConfiguredAllocation(IReadOnlyList<MessageQueue> configured) : IQueueAllocation
{
    public string Name => "CONFIG";

    // The rule is asked topic by topic; a queue of another topic is none of this one's.
    public IReadOnlyList<MessageQueue> Allocate(
        string group, string clientId, IReadOnlyList<MessageQueue> queues, IReadOnlyList<string> clientIds) =>
        [.. configured.Where(queue => queues.Count > 0 && queue.Topic == queues[0].Topic)];
}
