using System.Text;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Statistics;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Pops;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// Hands messages of topics out: reads them, remembers them as check points and moves the group on, queue by queue. Beneath every
/// door through which consumers pop. The rules are those of RocketMQ's PopMessageProcessor.
/// </summary>
internal sealed class QueuePopper(
    PopOptions options,
    PoppableQueues queues,
    PopOffsets offsets,
    MessageStore store,
    PopStore pops,
    BrokerStatistics statistics,
    GrayTable gray,
    TimeProvider time,
    ILogger<QueuePopper> logger)
{
    // Reads that find nothing for the filter, in one queue and one pop; what is left is for the next pop.
    private const int MaxReads = 16;

    private const int AllQueues = -1;

    private readonly byte[] _brokerName = Encoding.UTF8.GetBytes(options.BrokerName);

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Takes what there is for a pop, at most as many messages as it asks for.</summary>
    public void Take(in Pop pop, PopWork work)
    {
        work.Begin(NowMs);
        int start = Random.Shared.Next(100);
        TakeFromAll(in pop, work, start, wait: false);
        if (work is { Count: 0, IsContended: true })
        {
            // Somebody else was there; what is left when he has gone must not wait for the next message.
            work.IsContended = false;
            work.Rest = 0;
            TakeFromAll(in pop, work, start, wait: true);
        }
    }

    private void TakeFromAll(in Pop pop, PopWork work, int start, bool wait)
    {
        bool retriesFirst = !pop.IsOrdered && start < options.FromRetryPercent;
        if (retriesFirst)
        {
            TakeRetries(in pop, work, start, wait);
        }

        TakeFromTopic(in pop, pop.Target.Topic, PopHandle.Normal, pop.QueueId, work, start, wait);

        if (!retriesFirst && !pop.IsOrdered && work.Count < pop.MaxMessages)
        {
            TakeRetries(in pop, work, start, wait);
        }
    }

    private void TakeRetries(in Pop pop, PopWork work, int start, bool wait)
    {
        (Topic? first, Topic? second) = queues.RetryTopics(pop.Target);
        if (second is not null)
        {
            TakeFromTopic(in pop, second, PopHandle.RetrySecondForm, AllQueues, work, start, wait);
        }

        if (first is not null)
        {
            TakeFromTopic(in pop, first, PopHandle.Retry, AllQueues, work, start, wait);
        }
    }

    private void TakeFromTopic(in Pop pop, Topic topic, byte kind, int queueId, PopWork work, int start, bool wait)
    {
        // In this order: whoever deletes the topic or the group after the second line finds what the first one made, and drops it.
        PoppedTopic popped = pops.Topics.Get(pop.Target.GroupUtf8.Span, topic.NameUtf8.Span);
        if (!queues.IsThere(pop.Target, topic))
        {
            return;
        }

        if (queueId >= 0)
        {
            TakeFromQueue(in pop, topic, popped, kind, queueId, work, wait);
            return;
        }

        int count = topic.Config.ReadQueueNums;
        for (int i = 0; i < count; i++)
        {
            TakeFromQueue(in pop, topic, popped, kind, (start + i) % count, work, wait);
        }
    }

    private void TakeFromQueue(
        in Pop pop, Topic topic, PoppedTopic poppedTopic, byte kind, int queueId, PopWork work, bool wait)
    {
        LogicQueue queue = store.GetQueue(topic.NameUtf8.Span, queueId);
        PopQueue popped = poppedTopic.GetQueue(queueId);
        if (wait)
        {
            popped.Gate.Enter();
        }
        else if (!popped.Gate.TryEnter())
        {
            work.IsContended = true;
            work.Rest += pop.IsOrdered ? 0 : Math.Max(0, Math.Min(queue.MaxOffset, queues.EndFor(in pop, topic, queueId)) - popped.NextOffset);
            return;
        }

        try
        {
            if (!popped.IsDropped)
            {
                int stamp;
                long end;
                do
                {
                    stamp = gray.Stamp;
                    end = queues.EndFor(in pop, topic, queueId);
                }
                while (end > 0 && !TryTakeLocked(in pop, topic, kind, queue, popped, work, end, stamp));

                if (end == 0)
                {
                    queues.WaitAt(in pop, topic, queueId, end);
                }
            }
        }
        catch (Exception e) when (e is IOException or KeyValueStoreException)
        {
            // What other queues gave is handed out; what this one would have given is there still.
            work.Failure = e.Message;
            Log.PopFailed(logger, e, pop.Target.Group, topic.Name, queueId);
        }
        finally
        {
            popped.Gate.Exit();
        }
    }

    /// <param name="end">Messages from here on are another side's.</param>
    /// <param name="stamp">Of when that was asked; false when a queue has changed hands since, and nothing was taken.</param>
    private bool TryTakeLocked(
        in Pop pop, Topic topic, byte kind, LogicQueue queue, PopQueue popped, PopWork work, long end, int stamp)
    {
        long start = offsets.Begin(in pop, topic, queue, popped);
        if (start >= end)
        {
            queues.WaitAt(in pop, topic, queue.QueueId, end);
            return true;
        }

        if (pop.IsOrdered && PoppableQueues.IsBlocked(popped, in pop, work.PopTimeMs))
        {
            // What is behind the lock is not left for others: it would wake them in vain.
            return true;
        }

        if (!pop.IsOrdered && queues.IsLimited(popped))
        {
            popped.Refuse(pop.Target, options.MaxInFlight);
            work.IsLimited = true;
            return true;
        }

        if (work.Count >= pop.MaxMessages)
        {
            work.Rest += Math.Max(0, Math.Min(queue.MaxOffset, end) - start);
            return true;
        }

        MessageSlices slices = work.NextSlices();
        long at = start;
        bool isFound = Read(in pop, queues.FilterFor(in pop, topic), queue, popped, ref at, pop.MaxMessages - work.Count, slices, end);
        if (isFound)
        {
            queues.Give(in pop, topic, queue.QueueId, slices.NextOffset);
        }

        if (stamp != gray.Stamp)
        {
            // What was read may be beyond a boundary that was taken meanwhile.
            slices.Clear();
            return false;
        }

        if (!isFound)
        {
            if (at != start)
            {
                PopStore.Skip(popped, at);
                offsets.Tell(pop.Target.GroupUtf8.Span, topic.NameUtf8.Span, popped);
            }

            work.Rest += Math.Max(0, Math.Min(queue.MaxOffset, end) - at);
            return true;
        }

        Span<long> taken = stackalloc long[PopCheckPoint.MaxMessages];
        taken = taken[..slices.Count];
        for (int i = 0; i < taken.Length; i++)
        {
            taken[i] = slices.QueueOffsetOf(i);
        }

        long rest = Math.Max(0, Math.Min(slices.MaxOffset, end) - slices.NextOffset);
        if (pop.IsOrdered)
        {
            OrderedBatch ordered = pops.Ordered.Take(popped, pop.AttemptId.Span, work.PopTimeMs, taken, pop.InvisibleMs);
            work.AddOrderCounts(kind, ordered);
        }
        else if (!pops.TryTake(popped, new CheckPointId(at, work.PopTimeMs), taken, slices.NextOffset, pop.InvisibleMs))
        {
            // The queue was reset within a millisecond of a pop from the same offset: two batches would have one handle.
            slices.Clear();
            work.Rest += Math.Max(0, Math.Min(queue.MaxOffset, end) - at);
            return true;
        }

        offsets.Tell(pop.Target.GroupUtf8.Span, topic.NameUtf8.Span, popped);
        statistics.Got(pop.Target.Group, topic, slices.Count, slices.TotalBytes);
        work.Rest += rest;
        work.AddOffsets(kind, queue.QueueId, at, taken);
        if (kind == PopHandle.Normal || options.ReturnRetryTopic)
        {
            work.Add(slices);
        }
        else
        {
            work.AddRewritten(
                slices,
                new RetriedMessages(
                    pop.Target.Topic.NameUtf8.Span, _brokerName, kind, at, work.PopTimeMs, pop.InvisibleMs));
        }

        return true;
    }

    /// <summary>Reads on until messages are found that may be handed out; <paramref name="at"/> becomes where they were read from.</summary>
    private bool Read(
        in Pop pop, IMessageFilter? filter, LogicQueue queue, PopQueue popped, ref long at, int most, MessageSlices slices, long end)
    {
        OrderedBatch? before = pop.IsOrdered ? popped.Ordered : null;
        for (int reads = 0; reads < MaxReads; reads++)
        {
            ReadStatus status = store.Read(queue, at, most, int.MaxValue, filter, slices, end);
            switch (status)
            {
                case ReadStatus.Found:
                    int unacked = before is null ? slices.Count : CountUnacked(before, slices);
                    if (unacked == slices.Count)
                    {
                        return true;
                    }

                    // Acked out of turn in the batch before: it is passed over.
                    at = unacked == 0 ? slices.QueueOffsetOf(0) + 1 : at;
                    most = unacked == 0 ? most : unacked;
                    break;
                case ReadStatus.NoMatchedMessage:
                case ReadStatus.MessageWasRemoving:
                case ReadStatus.OffsetFoundNull:
                case ReadStatus.OffsetTooSmall:
                case ReadStatus.OffsetOverflowBadly:
                    at = slices.NextOffset;
                    break;
                default:
                    return false;
            }

            if (at >= Math.Min(queue.MaxOffset, end))
            {
                return false;
            }
        }

        return false;
    }

    private static int CountUnacked(OrderedBatch before, MessageSlices slices)
    {
        for (int i = 0; i < slices.Count; i++)
        {
            if (before.WasAcked(slices.QueueOffsetOf(i)))
            {
                return i;
            }
        }

        return slices.Count;
    }
}
