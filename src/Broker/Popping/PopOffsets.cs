using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Pops;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// Where a group's pops go on. Two know it: the check points, which are written with every pop, and the table of consumer offsets, which
/// everybody asks and also others move (a consumer that pulls, an administrator); here they are kept in step. The queue's gate is held.
/// </summary>
internal sealed class PopOffsets(PopOptions options, ConsumerOffsetTable offsets, MessageStore store, PopStore pops)
{
    /// <summary>Where the group's next pop of a queue begins, without changing anything. The gate need not be held.</summary>
    public long Next(PopTarget target, Topic topic, LogicQueue queue)
    {
        if (pops.Topics.Find(target.GroupUtf8.Span, topic.NameUtf8.Span)?.FindQueue(queue.QueueId) is { NextOffset: >= 0 } popped)
        {
            return popped.NextOffset;
        }

        long committed = offsets.Find(target.GroupUtf8.Span, topic.NameUtf8.Span, queue.QueueId);
        return committed != ConsumerOffsetTable.None ? committed : queue.MinOffset;
    }

    /// <summary>Where the pop begins: where the last one ended, unless somebody else has moved the group since.</summary>
    public long Begin(in Pop pop, Topic topic, LogicQueue queue, PopQueue popped)
    {
        ReadOnlySpan<byte> group = pop.Target.GroupUtf8.Span;
        ReadOnlySpan<byte> name = topic.NameUtf8.Span;
        if (offsets.TakeReset(group, name, queue.QueueId) is long reset)
        {
            pops.Reset(popped, reset);
            Tell(group, name, popped);
            return reset;
        }

        return Begin(in pop, topic, queue, popped, offsets.Find(group, name, queue.QueueId));
    }

    /// <summary>The same from what was committed, which may be so no longer: the reviver has its word in between, too.</summary>
    internal long Begin(in Pop pop, Topic topic, LogicQueue queue, PopQueue popped, long committed)
    {
        ReadOnlySpan<byte> group = pop.Target.GroupUtf8.Span;
        ReadOnlySpan<byte> name = topic.NameUtf8.Span;
        if (committed == ConsumerOffsetTable.None)
        {
            if (popped.NextOffset == PopQueue.NoOffset)
            {
                PopStore.Skip(popped, InitialOffset(in pop, topic, queue));
            }

            popped.ToldOffset = ConsumerOffsetTable.None;
            Tell(group, name, popped);
            committed = offsets.Find(group, name, queue.QueueId);
        }

        // Also somebody who was there first just now.
        if (committed != ConsumerOffsetTable.None && (popped.NextOffset == PopQueue.NoOffset || committed != popped.ToldOffset))
        {
            pops.Follow(popped, committed);
        }

        return popped.NextOffset;
    }

    /// <summary>Tells the group's consumer offsets where its pops go on, unless somebody else has moved the group meanwhile.</summary>
    public void Tell(ReadOnlySpan<byte> group, ReadOnlySpan<byte> topic, PopQueue popped)
    {
        if (offsets.CommitFrom(group, topic, popped.QueueId, popped.ToldOffset, popped.NextOffset) == CommitOutcome.Committed)
        {
            popped.ToldOffset = popped.NextOffset;
        }
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
}
