using GrayMQ.Store.RocksDbSharp;

namespace GrayMQ.Store.KeyValue;

/// <summary>Turns our options into RocksDB's.</summary>
internal static class KeyValueStoreOpening
{
    /// <summary>RocksDB's file that names the current manifest: a directory with it holds a database.</summary>
    private const string CurrentFile = "CURRENT";

    private const int BlockBytes = 4 << 10;
    private const int BloomBitsPerKey = 10;

    /// <summary>A write buffer grows in these steps, so that a family that holds little takes little.</summary>
    private const int ArenaBlockBytes = 64 << 10;

    private const int InfoLogFiles = 2;
    private const int InfoLogFileBytes = 1 << 20;
    private const int ManifestPreallocationBytes = 64 << 10;
    private const int LevelBaseBytes = 64 << 20;
    private const int TableFileBytes = 32 << 20;

    /// <summary>One buffer that is filled and one that is flushed.</summary>
    private const int WriteBuffersPerFamily = 2;

    public static RocksDb Open(string path, KeyValueStoreOptions options)
    {
        using DbOptions dbOptions = MakeDbOptions(options);
        using Cache cache = Cache.CreateLru((ulong)options.BlockCacheBytes);
        using BlockBasedTableOptions tableOptions = new BlockBasedTableOptions()
            .SetBlockCache(cache)
            .SetBlockSize(BlockBytes)
            .SetCacheIndexAndFilterBlocks(true)
            .SetFilterPolicy(BloomFilterPolicy.Create(BloomBitsPerKey));
        using ColumnFamilyOptions familyOptions = new ColumnFamilyOptions()
            .SetWriteBufferSize((ulong)options.WriteBufferBytes)
            .SetMaxWriteBufferNumber(WriteBuffersPerFamily)
            .SetArenaBlockSize(ArenaBlockBytes)
            .SetTargetFileSizeBase(TableFileBytes)
            .SetMaxBytesForLevelBase(LevelBaseBytes)
            .SetLevelCompactionDynamicLevelBytes(true)
            .SetCompression(Compression.No) // not every build of the library has one, and metadata is small
            .SetBlockBasedTableFactory(tableOptions);
        var families = new ColumnFamilies(familyOptions);
        foreach (string name in FindFamilies(dbOptions, path, options.Families))
        {
            families.Add(name, familyOptions);
        }
        return RocksDb.Open(dbOptions, path, families);
    }

    /// <summary>RocksDB opens a database only with all families that are in it, so those of a later version are added.</summary>
    private static IEnumerable<string> FindFamilies(DbOptions options, string path, IReadOnlyList<string> wanted)
    {
        IEnumerable<string> existing = File.Exists(Path.Combine(path, CurrentFile))
            ? RocksDb.ListColumnFamilies(options, path)
            : [];
        return existing.Union(wanted, StringComparer.Ordinal).Where(name => name != ColumnFamilies.DefaultName);
    }

    private static DbOptions MakeDbOptions(KeyValueStoreOptions options) => new DbOptions()
        .SetCreateIfMissing()
        .SetCreateMissingColumnFamilies()
        .SetWalRecoveryMode(RocksDbSharp.Recovery.PointInTime)
        .SetMaxTotalWalSize((ulong)options.MaxTotalWalBytes)
        .SetDbWriteBufferSize((ulong)options.TotalWriteBufferBytes)
        .SetMaxOpenFiles(options.MaxOpenFiles)
        .SetMaxBackgroundJobs(options.BackgroundJobs)
        .SetInfoLogLevel(InfoLogLevel.Warn)
        .SetKeepLogFileNum(InfoLogFiles)
        .SetMaxLogFileSize(InfoLogFileBytes)
        .SetManifestPreallocationSize(ManifestPreallocationBytes)
        .SetStatsDumpPeriodSec(0)
        .SetStatsPersistPeriodSec(0);
}
