using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Topics;
using GrayMQ.Store;
using GrayMQ.Store.Pops;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Popping;

/// <summary>What a pop looks into, and whether it would get something, without taking anything.</summary>
internal sealed class PoppableQueues(
    PopOptions options,
    TopicTable topics,
    SubscriptionGroupTable groups,
    MessageStore store,
    PopStore pops,
    PopOffsets offsets,
    GrayTable gray,
    TimeProvider time)
{
    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The retry topics of a target that there are and that are looked into.</summary>
    public (Topic? First, Topic? Second) RetryTopics(PopTarget target) =>
        (options.RetryTopicSecondForm && !options.RetrieveFirstForm ? null : topics.Find(target.FirstRetry.Utf8.Span),
            options.RetryTopicSecondForm ? topics.Find(target.SecondRetry.Utf8.Span) : null);

    /// <summary>Whether the topic is the one that it was, and the group is there: either may be deleted while a pop is on its way.</summary>
    public bool IsThere(PopTarget target, Topic topic) =>
        ReferenceEquals(topics.Find(topic.NameUtf8.Span), topic) && groups.FindExisting(target.GroupUtf8.Span) is not null;

    /// <summary>Whether a pop would get something now.</summary>
    public bool HasMessages(in Pop pop)
    {
        Topic topic = pop.Target.Topic;
        if (pop.QueueId >= 0 ? HasMessages(in pop, topic, pop.QueueId) : HasMessages(in pop, topic))
        {
            return true;
        }

        if (pop.IsOrdered)
        {
            return false;
        }

        // No others than are looked into, or who waits would be woken for nothing, again and again.
        (Topic? first, Topic? second) = RetryTopics(pop.Target);
        return HasMessages(in pop, first) || HasMessages(in pop, second);
    }

    /// <summary>Whether the queue is locked for this pop by a batch in order that another attempt has in hand. The gate is held.</summary>
    public static bool IsBlocked(PopQueue popped, in Pop pop, long nowMs) =>
        popped.Ordered is { } ordered
        && (pop.AttemptId.IsEmpty || !pop.AttemptId.Span.SequenceEqual(ordered.AttemptId))
        && ordered.Blocks(nowMs);

    /// <summary>Whether the group has as much of the queue in hand as it may. The gate is held.</summary>
    public bool IsLimited(PopQueue popped) => options.MaxInFlight > 0 && popped.InFlight >= options.MaxInFlight;

    /// <summary>
    /// Below which offset of a queue a pop may be given messages: where the group has a gray release, its queues are of two sides, and what
    /// is popped in order waits for the same keys in other queues. 0 for none.
    /// </summary>
    public long EndFor(in Pop pop, Topic topic, int queueId)
    {
        GrayGroup? sides = gray.View?.FindGroup(pop.Target.Group);
        long end = sides?.EndFor(topic.NameUtf8.Span, queueId, pop.Responder.Connection) ?? long.MaxValue;
        return pop.IsOrdered && gray.KeyOrder is { } keys
            ? Math.Min(end, keys.EndFor(pop.Target.Group, sides, topic, queueId, isOrdered: true))
            : end;
    }

    /// <summary>A pop has come to where <see cref="EndFor"/> lets it: where keys have to wait there, it is woken once they need not.</summary>
    public void WaitAt(in Pop pop, Topic topic, int queueId, long end)
    {
        if (pop.IsOrdered
            && gray.KeyOrder is { } keys
            && keys.EndFor(pop.Target.Group, gray.View?.FindGroup(pop.Target.Group), topic, queueId, isOrdered: true) == end)
        {
            keys.Wait(pop.Target.Group, topic, queueId, end, isOrdered: true);
        }
    }

    /// <summary>By what messages of a topic are chosen for a pop.</summary>
    public IMessageFilter? FilterFor(in Pop pop, Topic topic) => gray.Skips is { } skips
        ? skips.FilterFor(pop.Target.Group, gray.View?.FindGroup(pop.Target.Group), topic, pop.Responder.Connection, pop.Filter)
        : pop.Filter;

    /// <summary>
    /// Messages below an offset are about to be handed out: whoever takes them looks afterwards whether the queue has changed hands.
    /// </summary>
    public void Give(in Pop pop, Topic topic, int queueId, long offset) =>
        gray.View?.FindGroup(pop.Target.Group)?.Given.Raise(topic.NameUtf8.Span, queueId, offset);

    private bool HasMessages(in Pop pop, Topic? topic)
    {
        for (int queueId = 0; queueId < (topic?.Config.ReadQueueNums ?? 0); queueId++)
        {
            if (HasMessages(in pop, topic!, queueId))
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

        long end = EndFor(in pop, topic, queueId);
        long max = Math.Min(queue.MaxOffset, end);
        bool isBlocked = false;
        long next;
        if (pops.Topics.Find(pop.Target.GroupUtf8.Span, topic.NameUtf8.Span)?.FindQueue(queueId) is { } popped)
        {
            lock (popped.Gate)
            {
                next = Math.Max(0, popped.NextOffset);
                isBlocked = pop.IsOrdered ? IsBlocked(popped, in pop, NowMs) : IsLimited(popped);
            }
        }
        else
        {
            next = offsets.Next(pop.Target, topic, queue);
        }

        if (next >= end)
        {
            WaitAt(in pop, topic, queueId, end);
        }

        return max > next && !isBlocked;
    }
}
