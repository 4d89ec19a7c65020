using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// How few write queues of a topic may be shown. Whoever chooses a queue by a key divides by their number: topics that keep an order show
/// all of them, as do those that nobody chooses queues of. Of a gray topic there is a queue of each side, which head and tail being gray comes to the gray ones at the head and one more.
/// </summary>
internal sealed class NarrowRules(TopicTable topics, GrayTable gray)
{
    /// <summary>The write queues of the topic that are shown at a share of 0 to 1.</summary>
    public int QueuesOf(TopicConfig config, double share)
    {
        int queues = config.WriteQueueNums;
        if (share >= 1 || topics.Find(config.TopicName) is not { } topic || KeepsOrder(topic))
        {
            return queues;
        }

        int shown = WarmupCurve.QueuesOf(queues, share);
        return gray.View?.FindQueues(topic) is { } sides
            ? Math.Min(queues, Math.Max(shown, sides.Normal[0] + 1))
            : shown;
    }

    private static bool KeepsOrder(Topic topic) =>
        topic.Config.Order || topic.MessageType == TopicMessageType.Fifo || topic.IsUsedInOrder || topic.IsSystem || topic.IsRetry;
}
