using System.Collections;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http.Features;

namespace GrayMQ.Broker.Grpc.Clients;

/// <summary>What is known of a client, for any thread to read and write.</summary>
internal sealed class ClientFeatures : IFeatureCollection
{
    private readonly ConcurrentDictionary<Type, object> _features = new(concurrencyLevel: 1, capacity: 1);
    private int _revision;

    public bool IsReadOnly => false;

    public int Revision => Volatile.Read(ref _revision);

    public object? this[Type key]
    {
        get => _features.GetValueOrDefault(key);
        set
        {
            Interlocked.Increment(ref _revision);
            if (value is null)
            {
                _features.TryRemove(key, out _);
            }
            else
            {
                _features[key] = value;
            }
        }
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => _features.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
