namespace GrayMQ.Store.KeyValue;

/// <summary>Why a key-value store refused or failed, as far as a caller acts upon it.</summary>
public enum KeyValueFailure
{
    /// <summary>Anything not named below; the message holds RocksDB's words.</summary>
    Other,

    /// <summary>Another process, or another store in this one, has the directory open.</summary>
    Locked,

    /// <summary>A file holds what was never written, or one is missing.</summary>
    Corrupt,

    /// <summary>The disk is full; writes are refused until there is room, reads go on.</summary>
    DiskFull,

    /// <summary>The operating system refused (permission, I/O error).</summary>
    InputOutput,

    /// <summary>librocksdb is not installed.</summary>
    LibraryMissing,
}
