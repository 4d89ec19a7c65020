using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>Options of reads. RocksDB keeps the addresses of the bounds, so they live here, outside the managed heap.</summary>
internal sealed unsafe class ReadOptions : SafeHandleZeroOrMinusOneIsInvalid
{
    private void* _lowerBound;
    private void* _upperBound;

    public ReadOptions()
        : base(ownsHandle: true)
    {
        RocksDbLibrary.EnsureLoaded();
        SetHandle(Native.rocksdb_readoptions_create());
    }

    /// <summary>Whether blocks that are read replace others in the block cache.</summary>
    public ReadOptions SetFillCache(bool value)
    {
        Native.rocksdb_readoptions_set_fill_cache(this, value ? (byte)1 : (byte)0);
        return this;
    }

    /// <summary>The smallest key that an iterator shows. Set once, before the options are used.</summary>
    public ReadOptions SetIterateLowerBound(ReadOnlySpan<byte> key)
    {
        Copy(key, ref _lowerBound);
        Native.rocksdb_readoptions_set_iterate_lower_bound(this, (byte*)_lowerBound, (nuint)key.Length);
        return this;
    }

    /// <summary>The key that an iterator ends before. Set once, before the options are used.</summary>
    public ReadOptions SetIterateUpperBound(ReadOnlySpan<byte> key)
    {
        Copy(key, ref _upperBound);
        Native.rocksdb_readoptions_set_iterate_upper_bound(this, (byte*)_upperBound, (nuint)key.Length);
        return this;
    }

    protected override bool ReleaseHandle()
    {
        Native.rocksdb_readoptions_destroy(handle);
        NativeMemory.Free(_lowerBound);
        NativeMemory.Free(_upperBound);
        return true;
    }

    private static void Copy(ReadOnlySpan<byte> key, ref void* bound)
    {
        if (bound is not null)
        {
            throw new InvalidOperationException("a bound is set once");
        }
        bound = NativeMemory.Alloc((nuint)Math.Max(1, key.Length));
        key.CopyTo(new Span<byte>(bound, key.Length));
    }
}
