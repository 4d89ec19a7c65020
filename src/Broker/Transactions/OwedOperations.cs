using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// The queue offsets of half messages that have ended, or were checked and so stored anew, and that no record of the operation queue
/// names yet: RocketMQ knows no other sign. For one thread at a time.
/// </summary>
internal sealed class OwedOperations(OldHalves old)
{
    // Owed, and the database knows it.
    private const long InDatabase = long.MaxValue;

    // From which record on the log has to be shown again to know it, or InDatabase.
    private readonly Dictionary<long, long> _bounds = old.Owed().ToDictionary(queueOffset => queueOffset, _ => InDatabase);

    public int Count => _bounds.Count;

    /// <summary>Up to where the log need not be shown again for these.</summary>
    public long Bound => _bounds.Count == 0 ? long.MaxValue : _bounds.Values.Min();

    public bool Contains(long queueOffset) => _bounds.ContainsKey(queueOffset);

    /// <summary>In order.</summary>
    public List<long> All() => [.. _bounds.Keys.Order()];

    /// <summary>Adds one that only memory knows, unless it is here.</summary>
    /// <param name="bound">The record from which on the log tells of it.</param>
    public void Add(long queueOffset, long bound) => _bounds.TryAdd(queueOffset, bound);

    /// <summary>Adds one to the database as well; a queue offset below 0 is not known.</summary>
    public void Add(KeyValueBatch batch, long queueOffset)
    {
        if (queueOffset >= 0)
        {
            old.PutOwed(batch, queueOffset);
            _bounds[queueOffset] = InDatabase;
        }
    }

    /// <summary>Takes one out of the database, if it is there; to be removed from memory once that is written.</summary>
    public void Remove(KeyValueBatch batch, long queueOffset)
    {
        if (_bounds.GetValueOrDefault(queueOffset) == InDatabase)
        {
            old.RemoveOwed(batch, queueOffset);
        }
    }

    public void Remove(long queueOffset) => _bounds.Remove(queueOffset);

    /// <summary>Those that the database has.</summary>
    public List<long> Stored() => [.. _bounds.Where(pair => pair.Value == InDatabase).Select(pair => pair.Key)];
}
