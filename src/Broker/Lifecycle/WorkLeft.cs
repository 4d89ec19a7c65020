using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Delays;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Statistics;
using GrayMQ.Broker.Topics;
using GrayMQ.Broker.Transactions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;
using GrayMQ.Store.Pops;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>What this broker still has to do with consumers.</summary>
internal sealed class WorkLeft(
    ConsumerTable consumers,
    SubscriptionGroupTable groups,
    ConsumerOffsetTable offsets,
    ConsumeProgress progress,
    PopStore pops,
    PendingMessages pending,
    HalfMessageStore halves,
    TopicTable topics,
    MessageStore messages)
{
    /// <summary>Whether any consumer is connected.</summary>
    public bool AnyConsumer => consumers.Groups.Any(group => group.IsOnline);

    /// <summary>Messages that were popped and not acknowledged.</summary>
    public long PopsInFlight => pops.InFlight;

    /// <summary>Messages that are to be delivered later.</summary>
    public long Delayed => pending.Timers.Counts().ByTopic.Values.Sum();

    /// <summary>Transactions that have not ended.</summary>
    public long Transactions => halves.Count;

    /// <summary>Messages that connected consumers were given and have not committed; those that broadcast keep their offsets themselves.</summary>
    public long CountUncommitted()
    {
        long sum = 0;
        foreach (ConsumerGroup group in consumers.Groups)
        {
            if (!group.IsOnline || group.MessageModel == MessageModel.Broadcasting)
            {
                continue;
            }

            foreach (string topic in progress.TopicsOf(group.Name))
            {
                sum += CountUncommitted(group.Name, topic);
            }
        }

        return sum;
    }

    /// <summary>
    /// Messages not consumed yet, by group: an asterisk behind those of which no consumer is there. The broker's own group for half messages
    /// is not among them: what is left for that one are <see cref="Transactions"/>.
    /// </summary>
    public Dictionary<string, long> FindBacklog()
    {
        var backlog = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (SubscriptionGroupConfig group in groups.Snapshot().Groups)
        {
            if (group.GroupName == GroupNames.Transaction)
            {
                continue;
            }

            long messages = progress.TopicsOf(group.GroupName).Sum(topic => progress.LagOf(group.GroupName, topic).Messages);
            if (messages > 0)
            {
                backlog[consumers.FindOnline(group.GroupName) is null ? group.GroupName + "*" : group.GroupName] = messages;
            }
        }

        return backlog;
    }

    /// <summary>Dead letters that are stored here, by topic.</summary>
    public Dictionary<string, long> FindDeadLetters()
    {
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (Topic topic in topics.Snapshot().Topics)
        {
            if (topic.Name.StartsWith(TopicNames.DeadLetterPrefix, StringComparison.Ordinal) && CountStored(topic) is > 0 and long stored)
            {
                found[topic.Name] = stored;
            }
        }

        return found;
    }

    private long CountUncommitted(string group, string topic)
    {
        long sum = 0;
        for (int queueId = 0; queueId < topics.Find(topic)?.Config.ReadQueueNums; queueId++)
        {
            if (messages.FindQueue(topic, queueId) is { } queue)
            {
                long committed = Math.Max(offsets.Find(group, topic, queueId), queue.MinOffset);
                sum += Math.Max(0, offsets.FindPulled(group, topic, queueId) - committed);
            }
        }

        return sum;
    }

    private long CountStored(Topic topic)
    {
        long sum = 0;
        for (int queueId = 0; queueId < topic.Config.ReadQueueNums; queueId++)
        {
            if (messages.FindQueue(topic.Name, queueId) is { } queue)
            {
                sum += queue.MaxOffset - queue.MinOffset;
            }
        }

        return sum;
    }
}
