using GrayMQ.Broker.Offsets;
using GrayMQ.Gray;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Gray;

/// <summary>How a queue changes hands: from where, up to where, and what is skipped. Asked by <see cref="GrayWork"/> alone.</summary>
internal sealed class GrayHandovers(GrayOptions options, ConsumerOffsetTable offsets, ILogger logger)
{
    /// <summary>
    /// Everybody's, but whoever holds a queue by an offset of before goes on where the group has come to. Of a broker that was away for the
    /// whole of a withdrawal, and that nobody waited for, what the gray side leaves is skipped here, where that was asked for.
    /// </summary>
    /// <param name="endOf">The max offset of a queue.</param>
    public Dictionary<string, QueueOwnership[]> Ended(GrayEntry entry, Func<string, int, long> endOf)
    {
        if (entry.Ending?.Release is { State: GrayReleaseState.Withdrawn, Leftover: GrayLeftover.Skip })
        {
            foreach ((string topic, QueueOwnership[] queues) in entry.Group.Topics)
            {
                for (int queueId = 0; queueId < queues.Length; queueId++)
                {
                    if (queues[queueId] is { IsGrayQueue: true, IsHandedOver: false, Owner: Side.Gray })
                    {
                        entry.GivenUp += SkipTo(entry.Group.Name, topic, queueId, endOf(topic, queueId));
                    }
                }
            }
        }

        return Everybodys(entry);
    }

    private Dictionary<string, QueueOwnership[]> Everybodys(GrayEntry entry) => entry.Group.Topics.ToDictionary(
        pair => pair.Key,
        pair => pair.Value
            .Select((queue, queueId) => QueueOwnership.Of(
                null, Math.Max(queue.Start, Math.Max(0, offsets.Find(entry.Group.Name, pair.Key, queueId)))))
            .ToArray(),
        StringComparer.Ordinal);

    /// <summary>A queue that is to have another owner, with its boundary.</summary>
    /// <param name="end">The queue's max offset at the cut.</param>
    public QueueOwnership Retarget(in GrayTurn turn, long end, long now)
    {
        GrayGroup group = turn.Entry.Group;
        GrayRelease release = group.Release;
        QueueOwnership next;

        // What a side was promised when a promotion begins it gets: it is drained, and not passed over.
        var terms = new HandoverTerms(
            end, now, release.Forced, turn.IsGrayQueue, KeepsWhatWasPromised: release.State == GrayReleaseState.Promoting);
        if (release.State == GrayReleaseState.Withdrawing)
        {
            // What the side was not given, it is not given any more.
            long given = Math.Max(
                group.Given.Of(turn.Topic, turn.Queue.QueueId), offsets.Find(release.Group, turn.Topic, turn.Queue.QueueId));
            next = turn.Now.Withdraw(
                turn.Target,
                in terms,
                given,
                Math.Max(now, ReturnedMs(turn.Entry)) + (long)options.WithdrawWait.TotalMilliseconds,
                release.Leftover == GrayLeftover.Skip,
                release.Unsubscribed == GrayUnsubscribed.Hold);
        }
        else
        {
            next = turn.Now.Retarget(turn.Target, in terms);
        }

        if (next.IsHandedOver && !turn.Now.IsHandedOver)
        {
            Log.HandoverBegun(logger, release.Group, turn.Topic, turn.Queue.QueueId, next.Owner, next.Next, next.Boundary);
        }

        return next;
    }

    // When all who were there before a restart are back: before that nobody can say what he has in hand.
    private long ReturnedMs(GrayEntry entry) =>
        entry.RecoveredMs == 0 ? 0 : entry.RecoveredMs + (long)options.ReturnWait.TotalMilliseconds;

    /// <summary>The queues with one in the place of another, or one more.</summary>
    public static QueueOwnership[] With(QueueOwnership[] queues, int queueId, QueueOwnership queue)
    {
        var copy = new QueueOwnership[Math.Max(queues.Length, queueId + 1)];
        queues.CopyTo(copy, 0);
        for (int i = queues.Length; i < copy.Length; i++)
        {
            copy[i] = QueueOwnership.Of(null, 0);
        }

        copy[queueId] = queue;
        return copy;
    }

    /// <summary>A queue whose boundary is reached, or that is given up on: the next owner's.</summary>
    /// <param name="givenUp">Messages that nobody is to consume on that account.</param>
    public QueueOwnership Complete(string group, string topic, int queueId, QueueOwnership queue, HandoverLook look, out long givenUp)
    {
        long committed = offsets.Find(group, topic, queueId);
        long skipTo = queue.Handovers[0].SkipTo;
        givenUp = look.GivenUp + SkipTo(group, topic, queueId, skipTo);

        QueueOwnership next = queue.Complete(committed);
        Log.HandoverEnded(logger, group, topic, queueId, next.Owner, next.Start, look.GivenUp);
        return next;
    }

    // The messages that are passed over; none where the group is there already.
    private long SkipTo(string group, string topic, int queueId, long offset)
    {
        long committed = offsets.Find(group, topic, queueId);
        if (offset <= committed)
        {
            return 0;
        }

        long skipped = offset - Math.Max(0, committed);
        offsets.Commit(group, topic, queueId, offset);
        Log.HandoverSkipped(logger, group, topic, queueId, skipped, offset);
        return skipped;
    }
}
