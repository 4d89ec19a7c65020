using System.Collections;
using Microsoft.AspNetCore.Http.Features;

namespace GrayMQ.Broker.Grpc.Clients;

/// <summary>
/// What is known of a client, for any thread to read and write: a few things at most, but of many clients, so that it is an array, which
/// each change makes anew.
/// </summary>
internal sealed class ClientFeatures : IFeatureCollection
{
    private KeyValuePair<Type, object>[] _features = [];
    private int _revision;

    public bool IsReadOnly => false;

    public int Revision => Volatile.Read(ref _revision);

    public object? this[Type key]
    {
        get
        {
            foreach ((Type type, object feature) in Volatile.Read(ref _features))
            {
                if (type == key)
                {
                    return feature;
                }
            }

            return null;
        }

        set
        {
            KeyValuePair<Type, object>[] before;
            KeyValuePair<Type, object>[] after;
            do
            {
                before = Volatile.Read(ref _features);
                IEnumerable<KeyValuePair<Type, object>> others = before.Where(feature => feature.Key != key);
                after = value is null ? [.. others] : [.. others, KeyValuePair.Create(key, value)];
            }
            while (Interlocked.CompareExchange(ref _features, after, before) != before);

            Interlocked.Increment(ref _revision);
        }
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => Volatile.Read(ref _features).AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
