using GrayMQ.Store.RocksDbSharp;

namespace GrayMQ.Store.KeyValue;

/// <summary>Changes that are done together by <see cref="KeyValueStore.Write"/>. For one thread at a time.</summary>
public sealed class KeyValueBatch : IDisposable
{
    internal KeyValueBatch(KeyValueStore store) => Store = store;

    /// <summary>Changes, a deleted range counting as one.</summary>
    public int Count => Changes.Count();

    internal KeyValueStore Store { get; }

    internal WriteBatch Changes { get; } = new();

    public void Put(KeyFamily family, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Store.RequireOwn(family);
        Changes.Put(key, value, family.Handle);
    }

    public void Delete(KeyFamily family, ReadOnlySpan<byte> key)
    {
        Store.RequireOwn(family);
        Changes.Delete(key, family.Handle);
    }

    /// <summary>Deletes from <paramref name="from"/> up to, not including, <paramref name="to"/>, however many there are.</summary>
    public void DeleteRange(KeyFamily family, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        Store.RequireOwn(family);
        if (from.SequenceCompareTo(to) < 0)
        {
            Changes.DeleteRange(from, to, family.Handle);
        }
    }

    /// <summary>Empties the batch and keeps its memory.</summary>
    public void Clear() => Changes.Clear();

    public void Dispose() => Changes.Dispose();
}
