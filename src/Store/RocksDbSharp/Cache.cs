using Microsoft.Win32.SafeHandles;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>A cache of table blocks. RocksDB counts its own references: it may be disposed once it is handed over.</summary>
internal sealed class Cache : SafeHandleZeroOrMinusOneIsInvalid
{
    private Cache(nint cache)
        : base(ownsHandle: true) => SetHandle(cache);

    /// <param name="capacity">In bytes.</param>
    public static Cache CreateLru(ulong capacity)
    {
        RocksDbLibrary.EnsureLoaded();
        return new Cache(Native.rocksdb_cache_create_lru(checked((nuint)capacity)));
    }

    protected override bool ReleaseHandle()
    {
        Native.rocksdb_cache_destroy(handle);
        return true;
    }
}
