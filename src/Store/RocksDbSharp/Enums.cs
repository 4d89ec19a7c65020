namespace GrayMQ.Store.RocksDbSharp;

/// <summary>How the write-ahead log is read at the opening. Values: rocksdb_wal_recovery_mode in c.h.</summary>
internal enum Recovery
{
    TolerateCorruptedTailRecords = 0,
    AbsoluteConsistency = 1,
    PointInTime = 2,
    SkipAnyCorruptedRecords = 3,
}

/// <summary>What goes to RocksDB's own LOG file. Values: rocksdb::InfoLogLevel.</summary>
internal enum InfoLogLevel
{
    Debug = 0,
    Info = 1,
    Warn = 2,
    Error = 3,
    Fatal = 4,
    Header = 5,
}

/// <summary>Values: rocksdb_no_compression and following in c.h.</summary>
internal enum Compression
{
    No = 0,
    Snappy = 1,
    Zlib = 2,
    Bz2 = 3,
    Lz4 = 4,
    Lz4hc = 5,
    Zstd = 7,
}
