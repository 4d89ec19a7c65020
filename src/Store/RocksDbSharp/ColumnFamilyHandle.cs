using Microsoft.Win32.SafeHandles;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>An open column family; keeps its database open until it is destroyed.</summary>
internal sealed class ColumnFamilyHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly RocksDbHandle _db;

    public ColumnFamilyHandle(RocksDbHandle db, nint family)
        : base(ownsHandle: true)
    {
        bool added = false;
        db.DangerousAddRef(ref added);
        _db = db;
        SetHandle(family);
    }

    protected override bool ReleaseHandle()
    {
        Native.rocksdb_column_family_handle_destroy(handle);
        _db.DangerousRelease();
        return true;
    }
}
