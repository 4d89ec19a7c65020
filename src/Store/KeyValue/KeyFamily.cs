using GrayMQ.Store.RocksDbSharp;

namespace GrayMQ.Store.KeyValue;

/// <summary>A named set of keys in one store, with an order of its own; batches change several families atomically.</summary>
public sealed class KeyFamily
{
    internal KeyFamily(string name, KeyValueStore store, ColumnFamilyHandle handle)
    {
        Name = name;
        Store = store;
        Handle = handle;
    }

    public string Name { get; }

    internal KeyValueStore Store { get; }

    internal ColumnFamilyHandle Handle { get; }

    public override string ToString() => Name;
}
