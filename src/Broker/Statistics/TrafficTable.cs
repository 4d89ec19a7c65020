using System.Collections.Concurrent;

namespace GrayMQ.Broker.Statistics;

/// <summary>
/// Counters by key, made at the first count. What a removed counter had counted stays in <see cref="Total"/>.
/// </summary>
/// <typeparam name="TKey">Compared at every count, so cheaply: by reference where that will do.</typeparam>
internal sealed class TrafficTable<TKey>(Func<TKey, string> nameOf, IEqualityComparer<TKey> keys, TimeProvider time)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, TrafficCounter> _byKey = new(keys);

    // Two keys may have one name: a topic that was deleted and made again is another object.
    private readonly ConcurrentDictionary<string, TrafficCounter> _byName = new(StringComparer.Ordinal);
    private readonly Lock _removing = new();
    private Traffic _removed;

    /// <summary>All counters, by the name of what they count.</summary>
    public IEnumerable<KeyValuePair<string, TrafficCounter>> All => _byName;

    /// <summary>All since the start, of all keys.</summary>
    public Traffic Total
    {
        get
        {
            lock (_removing)
            {
                Traffic total = _removed;
                foreach (KeyValuePair<string, TrafficCounter> named in _byName)
                {
                    total += named.Value.Total;
                }

                return total;
            }
        }
    }

    public TrafficCounter Get(TKey key) => _byKey.TryGetValue(key, out TrafficCounter? counter) ? counter : Add(key);

    public TrafficCounter? Find(string name) => _byName.GetValueOrDefault(name);

    public void Sample(long tick, long nowMs)
    {
        foreach (KeyValuePair<string, TrafficCounter> named in _byName)
        {
            named.Value.Sample(tick, nowMs);
        }
    }

    public void Remove(Func<TKey, bool> which)
    {
        lock (_removing)
        {
            foreach (TKey key in _byKey.Keys.Where(which))
            {
                _byKey.TryRemove(key, out _);
                if (_byName.TryRemove(nameOf(key), out TrafficCounter? counter))
                {
                    _removed += counter.Total;
                }
            }
        }
    }

    private TrafficCounter Add(TKey key)
    {
        lock (_removing)
        {
            TrafficCounter counter = _byName.GetOrAdd(
                nameOf(key), static (_, now) => new TrafficCounter(now), time.GetUtcNow().ToUnixTimeMilliseconds());
            return _byKey.GetOrAdd(key, counter);
        }
    }
}
