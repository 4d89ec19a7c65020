namespace GrayMQ.Store.RocksDbSharp;

/// <summary>Options of one column family.</summary>
internal sealed class ColumnFamilyOptions : OptionsHandle
{
    /// <summary>In bytes.</summary>
    public ColumnFamilyOptions SetWriteBufferSize(ulong value)
    {
        Native.rocksdb_options_set_write_buffer_size(this, checked((nuint)value));
        return this;
    }

    public ColumnFamilyOptions SetMaxWriteBufferNumber(int value)
    {
        Native.rocksdb_options_set_max_write_buffer_number(this, value);
        return this;
    }

    /// <summary>In bytes: the step in which a write buffer grows.</summary>
    public ColumnFamilyOptions SetArenaBlockSize(ulong value)
    {
        Native.rocksdb_options_set_arena_block_size(this, checked((nuint)value));
        return this;
    }

    /// <summary>In bytes.</summary>
    public ColumnFamilyOptions SetTargetFileSizeBase(ulong value)
    {
        Native.rocksdb_options_set_target_file_size_base(this, value);
        return this;
    }

    /// <summary>In bytes.</summary>
    public ColumnFamilyOptions SetMaxBytesForLevelBase(ulong value)
    {
        Native.rocksdb_options_set_max_bytes_for_level_base(this, value);
        return this;
    }

    public ColumnFamilyOptions SetLevelCompactionDynamicLevelBytes(bool value)
    {
        Native.rocksdb_options_set_level_compaction_dynamic_level_bytes(this, value ? (byte)1 : (byte)0);
        return this;
    }

    public ColumnFamilyOptions SetCompression(Compression value)
    {
        Native.rocksdb_options_set_compression(this, (int)value);
        return this;
    }

    public ColumnFamilyOptions SetBlockBasedTableFactory(BlockBasedTableOptions tableOptions)
    {
        Native.rocksdb_options_set_block_based_table_factory(this, tableOptions);
        return this;
    }
}
