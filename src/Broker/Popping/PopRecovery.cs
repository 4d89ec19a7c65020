using System.Text;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Pops;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Popping;

/// <summary>Brings offsets and check points to what the databases and the log say together, before anything is served.</summary>
internal sealed class PopRecovery(
    PopStore pops, ConsumerOffsetTable offsets, MessageStore messages, long logFileBytes, ILogger logger)
{
    public void Run(TopicTable topics, SubscriptionGroupTable groups)
    {
        RemoveOrphans(topics, groups);
        if (pops.Revivals.LogOffset is long from)
        {
            int ended = EndRevivals(from);
            pops.Revivals.End([]);
            Log.RevivalsRecovered(logger, ended, from);
        }

        foreach (PopQueue queue in pops.Topics.Queues)
        {
            lock (queue.Gate)
            {
                BringBack(queue);
                RaiseOffset(queue);
            }
        }
    }

    // The process may have ended between the end of a topic or a group and that of what was in hand. One made anew begins anew.
    private void RemoveOrphans(TopicTable topics, SubscriptionGroupTable groups)
    {
        foreach (PoppedTopic popped in pops.Topics.All)
        {
            if (topics.Find(popped.Topic) is null || groups.FindExisting(popped.Group) is null)
            {
                Log.PopsOfNobody(logger, popped.Group, popped.Topic);
                pops.Remove(popped);
            }
        }
    }

    // The end of the machine may have taken the log's end: other messages will have the offsets that were popped already.
    private void BringBack(PopQueue popped)
    {
        LogicQueue? queue = messages.FindQueue(popped.Topic, popped.QueueId);
        long end = queue is null ? 0 : messages.NextQueueOffset(queue);
        long committed = offsets.Find(popped.Group, popped.Topic, popped.QueueId);
        if (popped.NextOffset > end || committed > end)
        {
            Log.PopBeyondTheEnd(logger, popped.Group, popped.Topic, popped.QueueId, Math.Max(popped.NextOffset, committed), end);
            pops.Reset(popped, end);
            offsets.Commit(popped.Group, popped.Topic, popped.QueueId, end);
            popped.ToldOffset = end;
        }

        foreach ((CheckPointId id, long offset) in PopStore.Unacked(popped))
        {
            if (offset >= end)
            {
                pops.Ack(popped, id, offset);
            }
        }
    }

    // A pop's offset is in its own batch; the table of offsets is written a little later. One that was moved lower since is lower here.
    private void RaiseOffset(PopQueue popped)
    {
        if (popped.NextOffset > offsets.Find(popped.Group, popped.Topic, popped.QueueId))
        {
            offsets.Commit(popped.Group, popped.Topic, popped.QueueId, popped.NextOffset);
        }
    }

    // Messages that were given back just before the end: the copies in the log name their originals.
    private int EndRevivals(long from)
    {
        HashSet<(long Original, string Topic)> revived = FindRevived(from);
        int ended = 0;
        if (revived.Count == 0)
        {
            return ended;
        }

        foreach (PopQueue popped in pops.Topics.Queues)
        {
            LogicQueue? queue = messages.FindQueue(popped.Topic, popped.QueueId);
            string[] targets = TargetsOf(popped);
            foreach ((CheckPointId id, long offset) in PopStore.Unacked(popped))
            {
                if (queue is not null
                    && queue.TryGetEntry(offset, out ConsumeQueueEntry entry)
                    && targets.Any(topic => revived.Contains((entry.PhysicalOffset, topic)))
                    && pops.Ack(popped, id, offset))
                {
                    ended++;
                }
            }
        }

        return ended;
    }

    // Where a group's messages go back to. Another group may have the same message in hand, and its copies are elsewhere.
    private static string[] TargetsOf(PopQueue popped) =>
    [
        popped.Topic,
        TopicNames.PopRetryOf(popped.Topic, popped.Group),
        TopicNames.PopRetryOf(popped.Topic, popped.Group, secondForm: true),
        TopicNames.DeadLetterOf(popped.Group),
    ];

    private HashSet<(long Original, string Topic)> FindRevived(long from)
    {
        var revived = new HashSet<(long Original, string Topic)>();
        using var slices = new MessageSlices();
        long offset = Math.Max(from, messages.MinPhysicalOffset);
        while (offset < messages.MaxPhysicalOffset)
        {
            if (messages.TryReadMessage(offset, slices) && StoredMessage.TryRead(slices[0], out StoredMessage message, out _))
            {
                if (message.PreparedTransactionOffset < 0)
                {
                    revived.Add((~message.PreparedTransactionOffset, Encoding.UTF8.GetString(message.Topic)));
                }

                offset += message.TotalSize;
            }
            else
            {
                // The filler at a file's end, or damage: records go on with the next file.
                offset = offset - (offset % logFileBytes) + logFileBytes;
            }
        }

        return revived;
    }
}
