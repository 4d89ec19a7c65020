using System.Text;
using GrayMQ.Broker.Offsets;
using GrayMQ.Gray;
using GrayMQ.Store;
using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Pops;

namespace GrayMQ.Broker.Gray;

/// <summary>What offsets, log and pops say of a queue that is being handed over.</summary>
internal sealed class GrayQueueFacts(ConsumerOffsetTable offsets, MessageStore messages, PopStore pops)
{
    public QueueFacts Of(GrayEntry entry, string topic, int queueId, QueueOwnership queue, long nowMs)
    {
        string group = entry.Group.Name;
        string origin = GrayRetries.OriginOf(topic, group);
        int clients = entry.Subscribers.ClientsOf(queue.Owner, origin);
        return new QueueFacts(
            offsets.Find(group, topic, queueId),
            messages.FindQueue(topic, queueId)?.MinOffset ?? 0,
            UnackedBelow(group, topic, queueId, queue.Boundary),
            OwnerSubscribes: clients > 0 || (queue.Owner is { } owner && entry.Subscribers.Of(origin).Contains(owner)),
            clients,
            entry.Group.Release.Forced,
            nowMs);
    }

    /// <summary>How far the group has come; -1 when it never was here.</summary>
    public long CommittedOf(string group, string topic, int queueId) => offsets.Find(group, topic, queueId);

    /// <summary>The offset that the next message gets.</summary>
    public long EndOf(string topic, int queueId) => messages.FindQueue(topic, queueId) is { } queue ? messages.NextQueueOffset(queue) : 0;

    /// <exception cref="KeyValueStoreException">They cannot be written.</exception>
    public void WriteOffsets(string group, string topic) => offsets.Write(Encoding.UTF8.GetBytes(group), Encoding.UTF8.GetBytes(topic));

    // Messages in a consumer's hand, popped from below the boundary.
    private int UnackedBelow(string group, string topic, int queueId, long boundary)
    {
        if (pops.Topics.Find(group, topic)?.FindQueue(queueId) is not { } popped)
        {
            return 0;
        }

        int ordered = 0;
        lock (popped.Gate)
        {
            if (popped.Ordered is { } batch)
            {
                for (int i = 0; i < batch.Offsets.Length; i++)
                {
                    ordered += batch.IsUnacked(i) && batch.Offsets[i] < boundary ? 1 : 0;
                }
            }
        }

        return ordered + PopStore.Unacked(popped).Count(each => each.QueueOffset < boundary);
    }
}
