namespace GrayMQ.Store.RocksDbSharp;

/// <summary>Options of a database as a whole.</summary>
internal sealed class DbOptions : OptionsHandle
{
    public DbOptions SetCreateIfMissing(bool value = true)
    {
        Native.rocksdb_options_set_create_if_missing(this, value ? (byte)1 : (byte)0);
        return this;
    }

    public DbOptions SetCreateMissingColumnFamilies(bool value = true)
    {
        Native.rocksdb_options_set_create_missing_column_families(this, value ? (byte)1 : (byte)0);
        return this;
    }

    public DbOptions SetInfoLogLevel(InfoLogLevel value)
    {
        Native.rocksdb_options_set_info_log_level(this, (int)value);
        return this;
    }

    public DbOptions SetKeepLogFileNum(ulong value)
    {
        Native.rocksdb_options_set_keep_log_file_num(this, checked((nuint)value));
        return this;
    }

    /// <summary>In bytes.</summary>
    public DbOptions SetMaxLogFileSize(ulong value)
    {
        Native.rocksdb_options_set_max_log_file_size(this, checked((nuint)value));
        return this;
    }

    /// <summary>In bytes.</summary>
    public DbOptions SetManifestPreallocationSize(ulong value)
    {
        Native.rocksdb_options_set_manifest_preallocation_size(this, checked((nuint)value));
        return this;
    }

    public DbOptions SetMaxOpenFiles(int value)
    {
        Native.rocksdb_options_set_max_open_files(this, value);
        return this;
    }

    public DbOptions SetMaxBackgroundJobs(int value)
    {
        Native.rocksdb_options_set_max_background_jobs(this, value);
        return this;
    }

    /// <summary>In bytes; beyond it, the families that keep the oldest log alive are flushed.</summary>
    public DbOptions SetMaxTotalWalSize(ulong value)
    {
        Native.rocksdb_options_set_max_total_wal_size(this, value);
        return this;
    }

    /// <summary>In bytes, for the write buffers of all families together.</summary>
    public DbOptions SetDbWriteBufferSize(ulong value)
    {
        Native.rocksdb_options_set_db_write_buffer_size(this, checked((nuint)value));
        return this;
    }

    public DbOptions SetWalRecoveryMode(Recovery value)
    {
        Native.rocksdb_options_set_wal_recovery_mode(this, (int)value);
        return this;
    }

    /// <summary>In seconds; 0 never writes statistics to the LOG file.</summary>
    public DbOptions SetStatsDumpPeriodSec(uint value)
    {
        Native.rocksdb_options_set_stats_dump_period_sec(this, value);
        return this;
    }

    /// <summary>In seconds; 0 keeps no history of statistics.</summary>
    public DbOptions SetStatsPersistPeriodSec(uint value)
    {
        Native.rocksdb_options_set_stats_persist_period_sec(this, value);
        return this;
    }
}
