using Microsoft.Win32.SafeHandles;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>Options of writes.</summary>
internal sealed class WriteOptions : SafeHandleZeroOrMinusOneIsInvalid
{
    public WriteOptions()
        : base(ownsHandle: true)
    {
        RocksDbLibrary.EnsureLoaded();
        SetHandle(Native.rocksdb_writeoptions_create());
    }

    /// <summary>Whether a write returns after the write-ahead log is on the disk, not only in the operating system.</summary>
    public WriteOptions SetSync(bool value)
    {
        Native.rocksdb_writeoptions_set_sync(this, value ? (byte)1 : (byte)0);
        return this;
    }

    protected override bool ReleaseHandle()
    {
        Native.rocksdb_writeoptions_destroy(handle);
        return true;
    }
}
