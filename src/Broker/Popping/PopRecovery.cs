using System.Text;
using GrayMQ.Broker.Offsets;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Pops;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Popping;

/// <summary>Brings offsets and check points to what the databases and the log say together, before anything is served.</summary>
internal static class PopRecovery
{
    public static void Run(
        PopStore pops, ConsumerOffsetTable offsets, MessageStore messages, long logFileBytes, ILogger logger)
    {
        RaiseOffsets(pops, offsets);
        if (pops.RevivalOffset is long from)
        {
            int ended = EndRevivals(pops, messages, from, logFileBytes);
            pops.EndRevival([]);
            Log.RevivalsRecovered(logger, ended, from);
        }
    }

    // A pop's offset is in its own batch; the table of offsets is written a little later.
    private static void RaiseOffsets(PopStore pops, ConsumerOffsetTable offsets)
    {
        foreach (PopQueue queue in pops.Topics.SelectMany(topic => topic.Queues))
        {
            if (queue.NextOffset > offsets.Find(queue.Group, queue.Topic, queue.QueueId))
            {
                offsets.Commit(queue.Group, queue.Topic, queue.QueueId, queue.NextOffset);
            }
        }
    }

    // Messages that were given back just before the end: the copies in the log name their originals.
    private static int EndRevivals(PopStore pops, MessageStore messages, long from, long logFileBytes)
    {
        HashSet<(long Original, string Topic)> revived = FindRevived(messages, from, logFileBytes);
        int ended = 0;
        if (revived.Count == 0)
        {
            return ended;
        }

        foreach (PopQueue popped in pops.Topics.SelectMany(topic => topic.Queues))
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

    private static HashSet<(long Original, string Topic)> FindRevived(MessageStore messages, long from, long logFileBytes)
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
