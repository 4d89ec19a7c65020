namespace GrayMQ.Gray;

/// <summary>
/// What lies before each of several <see cref="MappingChange"/>s in a row, oldest first: a key that went from one queue to another and then to
/// a third lies in the first still when nothing came to the second in between. A wait is only ever for what was stored before an earlier
/// change, or the same, so that none can wait for another in a circle.
/// </summary>
public sealed class MappingChain
{
    // By change and queue.
    private readonly QueueEnd[][][] _before;

    public MappingChain(IReadOnlyList<MappingChange> changes)
    {
        ArgumentNullException.ThrowIfNull(changes);
        Changes = changes;
        _before = new QueueEnd[changes.Count][][];
        for (int i = 0; i < changes.Count; i++)
        {
            _before[i] = [.. Enumerable.Range(0, changes[i].Ends.Count).Select(queueId => Find(i, queueId))];
        }
    }

    public IReadOnlyList<MappingChange> Changes { get; }

    /// <summary>The queues, each once, in which the keys lay before that are stored in this one since a change; and where that ended.</summary>
    public ReadOnlySpan<QueueEnd> Before(int change, int queueId) =>
        (uint)queueId < (uint)_before[change].Length ? _before[change][queueId] : [];

    // Where it came from by this change, and where that may have come from by those before.
    private QueueEnd[] Find(int change, int queueId)
    {
        var ends = new SortedDictionary<int, long>();
        foreach (int origin in Changes[change].OriginsOf(queueId))
        {
            Add(new QueueEnd(origin, Changes[change].EndOf(origin)));
            for (int earlier = 0; earlier < change; earlier++)
            {
                foreach (QueueEnd end in Before(earlier, origin))
                {
                    Add(end);
                }
            }
        }

        // What lies in the same queue is in order there.
        return [.. ends.Where(pair => pair.Value > 0 && pair.Key != queueId).Select(pair => new QueueEnd(pair.Key, pair.Value))];

        void Add(QueueEnd end) => ends[end.QueueId] = Math.Max(end.Offset, ends.GetValueOrDefault(end.QueueId));
    }
}

/// <summary>Where a queue ended.</summary>
public readonly record struct QueueEnd(int QueueId, long Offset);
