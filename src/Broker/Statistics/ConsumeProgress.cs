using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Broker.Statistics;

/// <summary>How far consumer groups have come.</summary>
internal sealed class ConsumeProgress(
    string brokerName,
    TopicTable topics,
    ConsumerTable consumers,
    ConsumerOffsetTable offsets,
    MessageStore store,
    BrokerStatistics statistics)
{
    /// <summary>
    /// The topics that a group has committed offsets of, without those that it does not subscribe to any more; all of them when
    /// it is not online.
    /// </summary>
    public IEnumerable<string> TopicsOf(string group) => offsets.TopicsOf(group).Where(topic => MaySubscribe(group, topic));

    /// <summary>False when the group is online and does not subscribe to the topic.</summary>
    public bool MaySubscribe(string group, string topic) =>
        consumers.FindOnline(group) is not { Subscriptions.Count: > 0 } online || online.FindSubscription(topic) is not null;

    /// <summary>The group's progress in each of a topic's queues.</summary>
    /// <param name="queues">How many queues to look at.</param>
    public void AddTo(ConsumeStats stats, string group, string topic, int queues)
    {
        for (int queueId = 0; queueId < queues; queueId++)
        {
            stats.OffsetTable[new MessageQueue(topic, brokerName, queueId)] = Find(group, topic, queueId);
        }

        stats.ConsumeTps += statistics.GetTps(group, topic);
    }

    /// <summary>What a group has not consumed yet of a topic.</summary>
    public ConsumeLag LagOf(string group, string topic)
    {
        long messages = 0;
        long oldest = 0;
        for (int queueId = 0; queueId < topics.Find(topic)?.Config.ReadQueueNums; queueId++)
        {
            long committed = offsets.Find(group, topic, queueId);
            if (committed < 0 || store.FindQueue(topic, queueId) is not { } queue)
            {
                continue;
            }

            long next = Math.Max(committed, queue.MinOffset);
            long behind = queue.MaxOffset - next;
            if (behind > 0)
            {
                messages += behind;
                long storedAt = store.StoreTimestampOf(queue, next);
                oldest = storedAt > 0 && (oldest == 0 || storedAt < oldest) ? storedAt : oldest;
            }
        }

        return new ConsumeLag(messages, oldest);
    }

    private OffsetWrapper Find(string group, string topic, int queueId)
    {
        LogicQueue? queue = store.FindQueue(topic, queueId);
        long consumed = Math.Max(0, offsets.Find(group, topic, queueId));
        return new OffsetWrapper
        {
            BrokerOffset = queue?.MaxOffset ?? 0,
            ConsumerOffset = consumed,
            PullOffset = Math.Max(consumed, offsets.FindPulled(group, topic, queueId)),
            LastTimestamp = queue is not null && consumed > 0 ? Math.Max(0, store.StoreTimestampOf(queue, consumed - 1)) : 0,
        };
    }
}

/// <param name="OldestStoredAtMs">Milliseconds since 1970; 0 when there is none.</param>
internal readonly record struct ConsumeLag(long Messages, long OldestStoredAtMs);
