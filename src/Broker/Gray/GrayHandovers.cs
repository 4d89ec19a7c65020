using GrayMQ.Broker.Offsets;
using GrayMQ.Gray;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Gray;

/// <summary>How a queue changes hands: from where, up to where, and what is skipped. Asked by <see cref="GrayWork"/> alone.</summary>
internal sealed class GrayHandovers(GrayOptions options, ConsumerOffsetTable offsets, ILogger logger)
{
    /// <summary>Everybody's, but whoever holds a queue by an offset of before goes on where the group has come to.</summary>
    public Dictionary<string, QueueOwnership[]> Ended(GrayEntry entry) => entry.Group.Topics.ToDictionary(
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
        GrayRelease release = turn.Entry.Group.Release;
        bool isWithdrawn = release.State == GrayReleaseState.Withdrawing && turn.Now.Owner == Side.Gray;
        long boundary = end;
        if (isWithdrawn)
        {
            // What the side was not given, it is not given any more.
            long given = offsets.FindPulled(turn.Entry.Group.Name, turn.Topic, turn.Queue.QueueId);
            long committed = offsets.Find(turn.Entry.Group.Name, turn.Topic, turn.Queue.QueueId);
            boundary = Math.Clamp(Math.Max(given, committed), 0, end);
        }

        var terms = new HandoverTerms(
            boundary,
            now,
            isWithdrawn ? now + (long)options.WithdrawWait.TotalMilliseconds : 0,
            isWithdrawn && turn.IsGrayQueue && release.Leftover == GrayLeftover.Skip ? end : QueueOwnership.None,
            release.Forced);
        QueueOwnership next = turn.Now.Retarget(turn.Target, in terms);
        if (isWithdrawn && next is { IsHandedOver: true, DeadlineMs: 0 })
        {
            next = next with
            {
                Boundary = Math.Min(next.Boundary, terms.Boundary),
                DeadlineMs = terms.DeadlineMs,
                SkipTo = terms.SkipTo,
            };
        }

        if (next.IsHandedOver && !turn.Now.IsHandedOver)
        {
            Log.HandoverBegun(
                logger, turn.Entry.Group.Name, turn.Topic, turn.Queue.QueueId, next.Owner, next.Next, next.Boundary);
        }

        return next;
    }

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
    public QueueOwnership Complete(GrayEntry entry, string topic, int queueId, QueueOwnership queue, HandoverLook look)
    {
        string group = entry.Group.Name;
        long committed = offsets.Find(group, topic, queueId);
        entry.GivenUp += look.GivenUp;
        if (queue.SkipTo > committed)
        {
            long skipped = queue.SkipTo - Math.Max(0, committed);
            entry.GivenUp += skipped;
            offsets.Commit(group, topic, queueId, queue.SkipTo);
            Log.HandoverSkipped(logger, group, topic, queueId, skipped, queue.SkipTo);
        }

        QueueOwnership next = queue.Complete(committed);
        Log.HandoverEnded(logger, group, topic, queueId, next.Owner, next.Start, look.GivenUp);
        return next;
    }
}
