using Microsoft.Win32.SafeHandles;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>How table files are laid out and cached.</summary>
internal sealed class BlockBasedTableOptions : SafeHandleZeroOrMinusOneIsInvalid
{
    public BlockBasedTableOptions()
        : base(ownsHandle: true)
    {
        RocksDbLibrary.EnsureLoaded();
        SetHandle(Native.rocksdb_block_based_options_create());
    }

    public BlockBasedTableOptions SetBlockCache(Cache cache)
    {
        Native.rocksdb_block_based_options_set_block_cache(this, cache);
        return this;
    }

    /// <summary>In bytes.</summary>
    public BlockBasedTableOptions SetBlockSize(ulong value)
    {
        Native.rocksdb_block_based_options_set_block_size(this, checked((nuint)value));
        return this;
    }

    /// <summary>Counts index and filter blocks against the block cache, which bounds their memory.</summary>
    public BlockBasedTableOptions SetCacheIndexAndFilterBlocks(bool value)
    {
        Native.rocksdb_block_based_options_set_cache_index_and_filter_blocks(this, value ? (byte)1 : (byte)0);
        return this;
    }

    /// <summary>The policy becomes part of these options, which free it.</summary>
    public BlockBasedTableOptions SetFilterPolicy(BloomFilterPolicy policy)
    {
        Native.rocksdb_block_based_options_set_filter_policy(this, policy.Release());
        return this;
    }

    protected override bool ReleaseHandle()
    {
        Native.rocksdb_block_based_options_destroy(handle);
        return true;
    }
}
