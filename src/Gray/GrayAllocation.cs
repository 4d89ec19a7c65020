namespace GrayMQ.Gray;

/// <summary>How the members of one side share the queues of a topic out among themselves, each by itself.</summary>
public static class GrayAllocation
{
    /// <summary>
    /// The queues of one member: its share of the gray ones and its share of the normal ones. Of both, because queues change hands while
    /// nobody shares out anew; those of the other side are parked at the broker and cost nothing. Shared out together, one member could
    /// get all that its side is given messages of, and the others nothing.
    /// </summary>
    /// <param name="all">In the order that all members see.</param>
    /// <param name="queueIdOf">The id of a queue within its broker.</param>
    /// <param name="live">Null where the topic is not gray, or not live: all are shared out together.</param>
    /// <param name="member">Which of the side's members, in the order that all see; from 0.</param>
    /// <param name="members">How many there are.</param>
    public static IReadOnlyList<T> Share<T>(IReadOnlyList<T> all, Func<T, int> queueIdOf, GrayQueues? live, int member, int members)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(member);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(member, members);
        if (live is not { } queues)
        {
            return Average(all, member, members);
        }

        return
        [
            .. Average([.. all.Where(queue => queues.SideOf(queueIdOf(queue)) == Side.Gray)], member, members),
            .. Average([.. all.Where(queue => queues.SideOf(queueIdOf(queue)) == Side.Normal)], member, members),
        ];
    }

    // Neighbours, the first members one more where it does not come out even (RocketMQ: AllocateMessageQueueAveragely).
    private static List<T> Average<T>(IReadOnlyList<T> all, int member, int members)
    {
        int least = all.Count / members;
        int more = all.Count % members;
        int first = (member * least) + Math.Min(member, more);
        return [.. all.Skip(first).Take(least + (member < more ? 1 : 0))];
    }
}
