using GrayMQ.Broker.Offsets;
using GrayMQ.Protocol.Messages;
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
        HashSet<long> revived = FindRevived(messages, from, logFileBytes);
        int ended = 0;
        if (revived.Count == 0)
        {
            return ended;
        }

        foreach (PopQueue popped in pops.Topics.SelectMany(topic => topic.Queues))
        {
            LogicQueue? queue = messages.FindQueue(popped.Topic, popped.QueueId);
            foreach ((CheckPointId id, long offset) in PopStore.Unacked(popped))
            {
                if (queue is not null
                    && queue.TryGetEntry(offset, out ConsumeQueueEntry entry)
                    && revived.Contains(entry.PhysicalOffset)
                    && pops.Ack(popped, id, offset))
                {
                    ended++;
                }
            }
        }

        return ended;
    }

    private static HashSet<long> FindRevived(MessageStore messages, long from, long logFileBytes)
    {
        var revived = new HashSet<long>();
        using var slices = new MessageSlices();
        long offset = Math.Max(from, messages.MinPhysicalOffset);
        while (offset < messages.MaxPhysicalOffset)
        {
            if (messages.TryReadMessage(offset, slices) && StoredMessage.TryRead(slices[0], out StoredMessage message, out _))
            {
                if (message.PreparedTransactionOffset < 0)
                {
                    revived.Add(~message.PreparedTransactionOffset);
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
