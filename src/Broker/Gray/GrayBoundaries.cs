using GrayMQ.Broker.Clients;
using GrayMQ.Gray;
using GrayMQ.Store;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// Takes the boundaries of all queues that are to change hands at one point of the log, together with the new mapping of messages. Asked by
/// <see cref="GrayWork"/> alone, under its lock.
/// </summary>
/// <param name="wake">Called with a group that is to look again.</param>
internal sealed class GrayBoundaries(
    MessageStore messages,
    GrayTable table,
    GrayStore store,
    GrayHandovers handovers,
    GrayQueueFacts facts,
    KeyOrder keys,
    GraySkips skips,
    ProducerTable producers,
    Action<string> wake)
{
    /// <summary>Has it all on disk before anybody is answered by it.</summary>
    /// <param name="entries">The groups as they are to be.</param>
    /// <param name="isNew">Whether the state is another than the one acted on.</param>
    /// <param name="gone">Groups that nothing is kept of any more.</param>
    /// <remarks>Wakes the groups of which queues are about to be somebody else's, once they are.</remarks>
    /// <exception cref="KeyValueStoreException">It cannot be written: nothing has changed.</exception>
    public void Take(
        GraySnapshot snapshot, bool isNew, IReadOnlyCollection<GrayEntry> entries, IReadOnlyCollection<string> gone, GrayPlan plan, long now)
    {
        List<GrayTurn> turns = [.. plan.Turns];
        Dictionary<GrayEntry, Dictionary<string, QueueOwnership[]>> changed = [];
        List<MappingPlan> moves = keys.Plan(plan.Live);
        Cut(turns, moves, changed.Keys, (epoch, ends) =>
        {
            List<TopicMapping> mappings = keys.Changed(moves, ends[turns.Count..]);
            Retarget(turns, ends, now, changed);
            foreach (GrayEntry entry in entries.Where(entry => entry.EndedMs > 0))
            {
                if (entry.Group.Topics.Values.Any(queues => Array.Exists(queues, queue => queue.Owner is not null || queue.IsHandedOver)))
                {
                    changed[entry] = handovers.Ended(entry, facts.EndOf);
                }
            }

            List<GraySkipChange> skipped = skips.Plan(entries, now);

            // On disk before anybody is answered by it: nothing is stored, and so nothing read, beyond the boundaries until it is.
            IEnumerable<GrayEntry> dirty = entries.Where(entry => entry.IsDirty || changed.ContainsKey(entry));
            store.Write(
                isNew ? snapshot : null,
                [.. dirty.Select(entry => entry.ToState(changed.GetValueOrDefault(entry)))],
                gone,
                mappings,
                skipped);
            keys.Apply(mappings);
            skips.Apply(skipped);
            table.Skips = skips.IsEmpty ? null : skips;
            table.KeyOrder = keys.IsEmpty ? null : keys;
            Apply(entries, changed);
            var view = new GrayView(
                epoch,
                snapshot,
                plan.Live,
                entries.Select(entry => entry.Group),
                snapshot.Releases.Where(each => each.IsOpen && each.Kind == GrayReleaseKind.Producer)
                    .Select(each => new GrayProducers(each, producers)));
            table.Publish(view.IsEmpty ? null : view);
        });
    }

    private void Retarget(
        List<GrayTurn> turns, long[] ends, long now, Dictionary<GrayEntry, Dictionary<string, QueueOwnership[]>> changed)
    {
        for (int i = 0; i < turns.Count; i++)
        {
            GrayTurn turn = turns[i];
            if (!changed.TryGetValue(turn.Entry, out Dictionary<string, QueueOwnership[]>? topics))
            {
                changed[turn.Entry] = topics = new Dictionary<string, QueueOwnership[]>(StringComparer.Ordinal);
            }

            int queueId = turn.Queue.QueueId;
            QueueOwnership[] queues = topics.GetValueOrDefault(turn.Topic) ?? turn.Entry.Group.Topics.GetValueOrDefault(turn.Topic) ?? [];
            topics[turn.Topic] = GrayHandovers.With(queues, queueId, handovers.Retarget(in turn, ends[i], now));
        }
    }

    // In this order: who keeps a queue is known by its owner of before, and only when queues are everybody's are clients taken for those of a
    // group without sides.
    private static void Apply(IReadOnlyCollection<GrayEntry> entries, Dictionary<GrayEntry, Dictionary<string, QueueOwnership[]>> changed)
    {
        foreach (GrayEntry entry in entries.Where(entry => entry.Ending is not null))
        {
            // Its queues are everybody's: whoever had one on his side goes on, the others are told where.
            foreach ((string topic, QueueOwnership[] queues) in entry.Group.Topics)
            {
                for (int queueId = 0; queueId < queues.Length; queueId++)
                {
                    entry.Group.Told.Begin(topic, queueId, entry.Clients.Of(queues[queueId].Owner));
                }
            }
        }

        foreach ((GrayEntry entry, Dictionary<string, QueueOwnership[]> topics) in changed)
        {
            entry.Group.Apply(topics);
        }

        foreach (GrayEntry entry in entries)
        {
            if (entry.Ending is { } ending)
            {
                entry.Group.Update(ending.Release, ending.Retired, new HashSet<string>());
                entry.Ending = null;
            }
        }
    }

    // What a withdrawn side was given is its boundary: nobody is given anything from before that is looked up until queues are owned by it.
    // Whoever reads just then, and does not see that the group is closed, has said before how much he is giving, or reads again.
    private void Cut(
        List<GrayTurn> turns, List<MappingPlan> moves, IReadOnlyCollection<GrayEntry> changed, Action<int, long[]> change)
    {
        HashSet<GrayGroup> closed =
        [
            .. turns.Select(turn => turn.Entry.Group).Where(group => group.Release.State == GrayReleaseState.Withdrawing),
        ];
        foreach (GrayGroup group in closed)
        {
            group.IsClosed = true;
        }

        if (closed.Count > 0)
        {
            table.Changed();
        }

        try
        {
            messages.Cut([.. turns.Select(turn => turn.Queue), .. moves.SelectMany(move => move.Queues)], change);
        }
        finally
        {
            foreach (GrayGroup group in closed)
            {
                group.IsClosed = false;
            }

            // Who found a group closed was told to wait, whether it has changed hands now or could not be written.
            if (closed.Count > 0)
            {
                table.Changed();
            }

            foreach (GrayGroup group in closed.Union(changed.Select(entry => entry.Group)))
            {
                wake(group.Name);
            }
        }
    }
}
