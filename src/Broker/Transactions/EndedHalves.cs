using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// Transactions that have ended by a record which the disk may not have. If a power failure takes that, they have not: what the database
/// had of them stays there until then, put aside; for those that only memory had the log is shown again from their beginning. For one
/// thread at a time.
/// </summary>
internal sealed class EndedHalves(OldHalves old)
{
    // In the order of the log, but for what is found at a start.
    private readonly Queue<(long RecordEnd, long Root, bool IsPutAside)> _ended = new();

    /// <summary>Up to where the log need not be shown again for these.</summary>
    public long Bound
    {
        get
        {
            long bound = long.MaxValue;
            foreach ((_, long root, bool isPutAside) in _ended)
            {
                bound = isPutAside ? bound : Math.Min(bound, root);
            }

            return bound;
        }
    }

    /// <summary>Adds one that only memory had.</summary>
    /// <param name="recordEnd">Where the record ends that has ended it.</param>
    public void Add(in HalfMessage half, long recordEnd) => _ended.Enqueue((recordEnd, half.Root, false));

    /// <summary>Takes one out of the pending ones of the database, and puts it aside there.</summary>
    /// <inheritdoc cref="Add(in HalfMessage, long)"/>
    public void PutAside(KeyValueBatch batch, in HalfMessage half, long recordEnd)
    {
        old.Remove(batch, in half);
        old.PutEnded(batch, recordEnd, in half);
        _ended.Enqueue((recordEnd, half.Root, true));
    }

    /// <summary>Forgets those whose records are on disk. Throws IOException.</summary>
    /// <param name="durable">Everything below is.</param>
    public void Forget(long durable)
    {
        if (!_ended.TryPeek(out (long RecordEnd, long Root, bool IsPutAside) first) || first.RecordEnd > durable)
        {
            return;
        }

        using KeyValueBatch batch = old.NewBatch();
        foreach ((long recordEnd, long root, bool isPutAside) in _ended.TakeWhile(ended => ended.RecordEnd <= durable))
        {
            if (isPutAside)
            {
                old.RemoveEnded(batch, recordEnd, root);
            }
        }

        if (batch.Count > 0)
        {
            old.Write(batch);
        }

        while (_ended.TryPeek(out first) && first.RecordEnd <= durable)
        {
            _ended.Dequeue();
        }
    }

    /// <summary>
    /// At a start: takes out those that were put aside and whose records are not in the log any more, and remembers the others.
    /// </summary>
    /// <param name="logEnd">Where the log ends.</param>
    public List<HalfMessage> TakeLost(KeyValueBatch batch, long logEnd)
    {
        var lost = new List<HalfMessage>();
        foreach ((long recordEnd, HalfMessage half) in old.Ended())
        {
            if (recordEnd > logEnd)
            {
                old.RemoveEnded(batch, recordEnd, half.Root);
                lost.Add(half);
            }
            else
            {
                _ended.Enqueue((recordEnd, half.Root, true));
            }
        }

        return lost;
    }
}
