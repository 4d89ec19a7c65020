using System.Text;
using GrayMQ.Broker.Offsets;
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
    TopicTable topics,
    ConsumerOffsetTable offsets,
    MessageStore store,
    PopStore pops,
    BrokerStatistics statistics,
    TimeProvider time,
    ILogger<QueuePopper> logger)
{
    // Reads that find nothing for the filter, in one queue and one pop; what is left is for the next pop.
    private const int MaxReads = 16;

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

    /// <summary>Whether a pop would get something now.</summary>
    public bool HasMessages(in Pop pop)
    {
        Topic topic = pop.Target.Topic;
        if (pop.QueueId >= 0)
        {
            if (HasMessages(in pop, topic, pop.QueueId))
            {
                return true;
            }
        }
        else
        {
            for (int queueId = 0; queueId < topic.Config.ReadQueueNums; queueId++)
            {
                if (HasMessages(in pop, topic, queueId))
                {
                    return true;
                }
            }
        }

        if (pop.IsOrdered)
        {
            return false;
        }

        // No others than are looked into, or who waits would be woken for nothing, again and again.
        (Topic? first, Topic? second) = RetryTopics(pop.Target);
        return HasRetries(in pop, first) || HasRetries(in pop, second);
    }

    /// <summary>Where the group's next pop of a queue begins, without changing anything.</summary>
    public long NextOffset(PopTarget target, Topic topic, LogicQueue queue)
    {
        if (pops.FindTopic(target.GroupUtf8.Span, topic.NameUtf8.Span)?.FindQueue(queue.QueueId) is { NextOffset: >= 0 } popped)
        {
            return popped.NextOffset;
        }

        long committed = offsets.Find(target.GroupUtf8.Span, topic.NameUtf8.Span, queue.QueueId);
        return committed != ConsumerOffsetTable.None ? committed : queue.MinOffset;
    }

    /// <summary>The retry topics of a target that there are and that are looked into.</summary>
    public (Topic? First, Topic? Second) RetryTopics(PopTarget target) =>
        (options.RetryTopicSecondForm && !options.RetrieveFirstForm ? null : topics.Find(target.FirstRetry.Utf8.Span),
            options.RetryTopicSecondForm ? topics.Find(target.SecondRetry.Utf8.Span) : null);

    private bool HasRetries(in Pop pop, Topic? retry)
    {
        if (retry is null)
        {
            return false;
        }

        for (int queueId = 0; queueId < retry.Config.ReadQueueNums; queueId++)
        {
            if (HasMessages(in pop, retry, queueId))
            {
                return true;
            }
        }

        return false;
    }

    private bool HasMessages(in Pop pop, Topic topic, int queueId)
    {
        if (store.FindQueue(topic.NameUtf8.Span, queueId) is not { } queue)
        {
            return false;
        }

        PopQueue? popped = pops.FindTopic(pop.Target.GroupUtf8.Span, topic.NameUtf8.Span)?.FindQueue(queueId);
        if (popped is null)
        {
            return queue.MaxOffset > NextOffset(pop.Target, topic, queue);
        }

        lock (popped.Gate)
        {
            return queue.MaxOffset > Math.Max(0, popped.NextOffset)
                && (pop.IsOrdered ? !IsBlocked(popped, in pop, NowMs) : options.MaxInFlight == 0 || popped.InFlight < options.MaxInFlight);
        }
    }

    private static bool IsBlocked(PopQueue popped, in Pop pop, long nowMs) =>
        popped.Ordered is { } ordered
        && (pop.AttemptId.IsEmpty || !pop.AttemptId.Span.SequenceEqual(ordered.AttemptId))
        && ordered.Blocks(nowMs);

    private void TakeFromAll(in Pop pop, PopWork work, int start, bool wait)
    {
        bool retriesFirst = !pop.IsOrdered && start < options.FromRetryPercent;
        if (retriesFirst)
        {
            TakeRetries(in pop, work, start, wait);
        }

        if (pop.QueueId >= 0)
        {
            TakeFromQueue(in pop, pop.Target.Topic, PopHandle.Normal, pop.QueueId, work, wait);
        }
        else
        {
            TakeFromTopic(in pop, pop.Target.Topic, PopHandle.Normal, work, start, wait);
        }

        if (!retriesFirst && !pop.IsOrdered && work.Count < pop.MaxMessages)
        {
            TakeRetries(in pop, work, start, wait);
        }
    }

    private void TakeRetries(in Pop pop, PopWork work, int start, bool wait)
    {
        (Topic? first, Topic? second) = RetryTopics(pop.Target);
        if (second is not null)
        {
            TakeFromTopic(in pop, second, PopHandle.RetrySecondForm, work, start, wait);
        }

        if (first is not null)
        {
            TakeFromTopic(in pop, first, PopHandle.Retry, work, start, wait);
        }
    }

    private void TakeFromTopic(in Pop pop, Topic topic, byte kind, PopWork work, int start, bool wait)
    {
        int queues = topic.Config.ReadQueueNums;
        for (int i = 0; i < queues; i++)
        {
            TakeFromQueue(in pop, topic, kind, (start + i) % queues, work, wait);
        }
    }

    private void TakeFromQueue(in Pop pop, Topic topic, byte kind, int queueId, PopWork work, bool wait)
    {
        LogicQueue queue = store.GetQueue(topic.NameUtf8.Span, queueId);
        PopQueue popped = pops.GetTopic(pop.Target.GroupUtf8.Span, topic.NameUtf8.Span).GetQueue(queueId);
        if (wait)
        {
            popped.Gate.Enter();
        }
        else if (!popped.Gate.TryEnter())
        {
            work.IsContended = true;
            work.Rest += pop.IsOrdered ? 0 : Math.Max(0, queue.MaxOffset - popped.NextOffset);
            return;
        }

        try
        {
            if (!popped.IsDropped)
            {
                TakeLocked(in pop, topic, kind, queue, popped, work);
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

    private void TakeLocked(in Pop pop, Topic topic, byte kind, LogicQueue queue, PopQueue popped, PopWork work)
    {
        long start = Begin(in pop, topic, queue, popped);
        if (pop.IsOrdered && IsBlocked(popped, in pop, work.PopTimeMs))
        {
            // What is behind the lock is not left for others: it would wake them in vain.
            return;
        }

        if (!pop.IsOrdered && options.MaxInFlight > 0 && popped.InFlight >= options.MaxInFlight)
        {
            pop.Target.SetLimited();
            work.IsLimited = true;
            return;
        }

        if (work.Count >= pop.MaxMessages)
        {
            work.Rest += Math.Max(0, queue.MaxOffset - start);
            return;
        }

        MessageSlices slices = work.NextSlices();
        long at = start;
        if (!Read(in pop, queue, popped, ref at, pop.MaxMessages - work.Count, slices))
        {
            if (at != start)
            {
                pops.MoveTo(popped, at, isReset: false);
                Tell(in pop, topic, popped);
            }

            work.Rest += Math.Max(0, queue.MaxOffset - at);
            return;
        }

        Span<long> taken = stackalloc long[PopCheckPoint.MaxMessages];
        taken = taken[..slices.Count];
        for (int i = 0; i < taken.Length; i++)
        {
            taken[i] = slices.QueueOffsetOf(i);
        }

        long rest = Math.Max(0, slices.MaxOffset - slices.NextOffset);
        if (pop.IsOrdered)
        {
            OrderedBatch ordered = pops.TakeOrdered(popped, pop.AttemptId.Span, work.PopTimeMs, taken, pop.InvisibleMs);
            work.AddOrderCounts(kind, ordered);
        }
        else if (!pops.TryTake(popped, new CheckPointId(at, work.PopTimeMs), taken, slices.NextOffset, pop.InvisibleMs))
        {
            // The queue was reset within a millisecond of a pop from the same offset: two batches would have one handle.
            slices.Clear();
            work.Rest += Math.Max(0, queue.MaxOffset - at);
            return;
        }

        Tell(in pop, topic, popped);
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
    }

    /// <summary>Reads on until messages are found that may be handed out; <paramref name="at"/> becomes where they were read from.</summary>
    private bool Read(in Pop pop, LogicQueue queue, PopQueue popped, ref long at, int most, MessageSlices slices)
    {
        OrderedBatch? before = pop.IsOrdered ? popped.Ordered : null;
        for (int reads = 0; reads < MaxReads; reads++)
        {
            ReadStatus status = store.Read(queue, at, most, int.MaxValue, pop.Filter, slices);
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

            if (at >= queue.MaxOffset)
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

    /// <summary>Where the pop begins: where the last one ended, unless somebody else has moved the group since.</summary>
    private long Begin(in Pop pop, Topic topic, LogicQueue queue, PopQueue popped)
    {
        ReadOnlySpan<byte> group = pop.Target.GroupUtf8.Span;
        ReadOnlySpan<byte> name = topic.NameUtf8.Span;
        if (offsets.TakeReset(group, name, queue.QueueId) is long reset)
        {
            pops.MoveTo(popped, reset, isReset: true);
            Tell(in pop, topic, popped);
            return reset;
        }

        long committed = offsets.Find(group, name, queue.QueueId);
        if (committed == ConsumerOffsetTable.None)
        {
            if (popped.NextOffset == PopQueue.NoOffset)
            {
                pops.MoveTo(popped, InitialOffset(in pop, topic, queue), isReset: false);
            }

            Tell(in pop, topic, popped);
        }
        else if (popped.NextOffset == PopQueue.NoOffset || committed != popped.ToldOffset)
        {
            pops.MoveTo(popped, committed, isReset: false);
            popped.ToldOffset = committed;
        }

        return popped.NextOffset;
    }

    private long InitialOffset(in Pop pop, Topic topic, LogicQueue queue)
    {
        const int FromFirst = 0;
        if (pop.InitMode == FromFirst || topic.IsRetry)
        {
            return queue.MinOffset;
        }

        return options.InitByMessagesInMemory && queue.MinOffset <= 0 && store.IsInMemory(queue, 0)
            ? 0
            : Math.Max(0, queue.MaxOffset - 1);
    }

    // Under the gate, so that two pops of a queue tell in their order.
    private void Tell(in Pop pop, Topic topic, PopQueue popped)
    {
        CommitOutcome outcome = offsets.Commit(pop.Target.GroupUtf8.Span, topic.NameUtf8.Span, popped.QueueId, popped.NextOffset);
        if (outcome == CommitOutcome.Committed)
        {
            popped.ToldOffset = popped.NextOffset;
        }
    }
}
