namespace GrayMQ.Store.RocksDbSharp;

/// <summary>A Bloom filter for each table file; handed to one <see cref="BlockBasedTableOptions"/>, which owns it then.</summary>
internal sealed class BloomFilterPolicy
{
    private nint _handle;

    private BloomFilterPolicy(nint handle) => _handle = handle;

    /// <param name="bitsPerKey">10 gives one false positive in a hundred.</param>
    public static BloomFilterPolicy Create(double bitsPerKey = 10)
    {
        RocksDbLibrary.EnsureLoaded();
        return new BloomFilterPolicy(Native.rocksdb_filterpolicy_create_bloom_full(bitsPerKey));
    }

    internal nint Release()
    {
        nint released = Interlocked.Exchange(ref _handle, 0);
        return released != 0 ? released : throw new InvalidOperationException("the policy was handed over already");
    }
}
