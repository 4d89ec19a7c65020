using Microsoft.Win32.SafeHandles;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>Changes that are written together or not at all. For one thread at a time.</summary>
internal sealed unsafe class WriteBatch : SafeHandleZeroOrMinusOneIsInvalid
{
    public WriteBatch()
        : base(ownsHandle: true)
    {
        RocksDbLibrary.EnsureLoaded();
        SetHandle(Native.rocksdb_writebatch_create());
    }

    public int Count() => Native.rocksdb_writebatch_count(this);

    public WriteBatch Clear()
    {
        Native.rocksdb_writebatch_clear(this);
        return this;
    }

    public WriteBatch Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ColumnFamilyHandle cf)
    {
        fixed (byte* keyBytes = key, valueBytes = value)
        {
            Native.rocksdb_writebatch_put_cf(this, cf, keyBytes, (nuint)key.Length, valueBytes, (nuint)value.Length);
        }
        return this;
    }

    public WriteBatch Delete(ReadOnlySpan<byte> key, ColumnFamilyHandle cf)
    {
        fixed (byte* keyBytes = key)
        {
            Native.rocksdb_writebatch_delete_cf(this, cf, keyBytes, (nuint)key.Length);
        }
        return this;
    }

    /// <summary>Deletes from <paramref name="start"/> up to, not including, <paramref name="end"/>.</summary>
    public WriteBatch DeleteRange(ReadOnlySpan<byte> start, ReadOnlySpan<byte> end, ColumnFamilyHandle cf)
    {
        fixed (byte* startBytes = start, endBytes = end)
        {
            Native.rocksdb_writebatch_delete_range_cf(
                this, cf, startBytes, (nuint)start.Length, endBytes, (nuint)end.Length);
        }
        return this;
    }

    protected override bool ReleaseHandle()
    {
        Native.rocksdb_writebatch_destroy(handle);
        return true;
    }
}
