using System.Collections;
using Microsoft.AspNetCore.Http.Features;

namespace GrayMQ.Remoting.Connections;

/// <summary>
/// What is bound to a connection for life. Unlike the transport's own collection it may be read and written by any thread: handlers
/// of one connection run side by side. What is not set here is asked of the transport.
/// </summary>
internal sealed class ConnectionFeatures(IFeatureCollection transport) : IFeatureCollection
{
    private readonly Lock _changing = new();

    // Never changed, only replaced; a handful of entries.
    private volatile KeyValuePair<Type, object>[] _features = [];
    private int _revision;

    public bool IsReadOnly => false;

    public int Revision => Volatile.Read(ref _revision);

    public object? this[Type key]
    {
        get
        {
            foreach (KeyValuePair<Type, object> feature in _features)
            {
                if (feature.Key == key)
                {
                    return feature.Value;
                }
            }

            return transport[key];
        }

        set
        {
            lock (_changing)
            {
                IEnumerable<KeyValuePair<Type, object>> others = _features.Where(feature => feature.Key != key);
                _features = value is null ? [.. others] : [.. others, KeyValuePair.Create(key, value)];
                _revision++;
            }
        }
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator()
    {
        KeyValuePair<Type, object>[] own = _features;
        return own.Concat(transport.ExceptBy(own.Select(feature => feature.Key), feature => feature.Key)).GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
