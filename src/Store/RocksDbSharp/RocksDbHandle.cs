using Microsoft.Win32.SafeHandles;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>
/// An open rocksdb_t. Families and iterators hold a reference each, so it closes after the last of them is destroyed:
/// RocksDB aborts the process when it is done the other way round.
/// </summary>
internal sealed class RocksDbHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public RocksDbHandle(nint db)
        : base(ownsHandle: true) => SetHandle(db);

    protected override bool ReleaseHandle()
    {
        Native.rocksdb_close(handle);
        return true;
    }
}
