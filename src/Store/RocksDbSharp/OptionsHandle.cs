using Microsoft.Win32.SafeHandles;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>A rocksdb_options_t, which holds the options of a database and those of a column family alike.</summary>
internal abstract class OptionsHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private protected OptionsHandle()
        : base(ownsHandle: true)
    {
        RocksDbLibrary.EnsureLoaded();
        SetHandle(Native.rocksdb_options_create());
    }

    protected override bool ReleaseHandle()
    {
        Native.rocksdb_options_destroy(handle);
        return true;
    }
}
