using GrayMQ.Gray;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Gray;

/// <summary>Lets queues change hands whose boundary is reached. Asked by <see cref="GrayWork"/> alone, under its lock.</summary>
/// <param name="wake">Called with a group whose queues have changed hands: who waits is to look again.</param>
internal sealed class GraySettlement(
    GrayTable table, GrayStore store, GrayHandovers handovers, GrayQueueFacts facts, Action<string> wake)
{
    /// <summary>True when queues have changed hands.</summary>
    /// <exception cref="KeyValueStoreException">It cannot be written: the group's queues stay whose they are.</exception>
    public bool Settle(IEnumerable<GrayEntry> entries, long now)
    {
        bool hasSettled = false;
        foreach (GrayEntry entry in entries.Where(entry => entry.Group.Release.IsOpen))
        {
            hasSettled |= Settle(entry, now);
        }

        return hasSettled;
    }

    private bool Settle(GrayEntry entry, long now)
    {
        string group = entry.Group.Name;
        var changed = new Dictionary<string, QueueOwnership[]>(StringComparer.Ordinal);
        var handed = new List<(string Topic, int QueueId)>();
        long givenUp = 0;
        foreach ((string topic, QueueOwnership[] queues) in entry.Group.Topics)
        {
            for (int queueId = 0; queueId < queues.Length; queueId++)
            {
                // What was to be handed on from somebody who gets nothing any more is handed on at once.
                QueueOwnership queue = queues[queueId];
                while (queue.IsHandedOver && queue.Look(facts.Of(entry, topic, queueId, queue, now)) is { IsOver: true } look)
                {
                    queue = handovers.Complete(group, topic, queueId, queue, look, out long lost);
                    givenUp += lost;
                }

                if (!ReferenceEquals(queue, queues[queueId]))
                {
                    changed[topic] = GrayHandovers.With(changed.GetValueOrDefault(topic) ?? queues, queueId, queue);
                    handed.Add((topic, queueId));
                }
            }
        }

        if (changed.Count == 0)
        {
            return false;
        }

        foreach (string topic in changed.Keys)
        {
            // Should the process end now, the next owner must not begin before where this one has come to.
            facts.WriteOffsets(group, topic);
        }

        entry.GivenUp += givenUp;
        try
        {
            store.Write(null, [entry.ToState(changed)], []);
        }
        catch
        {
            entry.GivenUp -= givenUp;
            throw;
        }

        entry.IsDirty = false;
        handed.ForEach(queue => entry.Group.Told.Begin(queue.Topic, queue.QueueId, []));
        entry.Group.Apply(changed);
        table.Changed();
        wake(group);
        return true;
    }
}
