using System.Runtime.InteropServices;

namespace GrayMQ.Store.RocksDbSharp;

internal static unsafe partial class Native
{
    [LibraryImport(Library)]
    public static partial nint rocksdb_options_create();

    [LibraryImport(Library)]
    public static partial void rocksdb_options_destroy(nint options);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_create_if_missing(OptionsHandle options, byte create);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_create_missing_column_families(OptionsHandle options, byte create);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_info_log_level(OptionsHandle options, int level);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_keep_log_file_num(OptionsHandle options, nuint count);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_max_log_file_size(OptionsHandle options, nuint bytes);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_manifest_preallocation_size(OptionsHandle options, nuint bytes);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_max_open_files(OptionsHandle options, int count);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_max_background_jobs(OptionsHandle options, int count);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_max_total_wal_size(OptionsHandle options, ulong bytes);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_db_write_buffer_size(OptionsHandle options, nuint bytes);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_wal_recovery_mode(OptionsHandle options, int mode);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_stats_dump_period_sec(OptionsHandle options, uint seconds);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_stats_persist_period_sec(OptionsHandle options, uint seconds);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_write_buffer_size(OptionsHandle options, nuint bytes);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_max_write_buffer_number(OptionsHandle options, int count);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_arena_block_size(OptionsHandle options, nuint bytes);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_target_file_size_base(OptionsHandle options, ulong bytes);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_max_bytes_for_level_base(OptionsHandle options, ulong bytes);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_level_compaction_dynamic_level_bytes(OptionsHandle options, byte dynamic);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_compression(OptionsHandle options, int compression);

    [LibraryImport(Library)]
    public static partial void rocksdb_options_set_block_based_table_factory(
        OptionsHandle options, BlockBasedTableOptions tableOptions);

    [LibraryImport(Library)]
    public static partial nint rocksdb_block_based_options_create();

    [LibraryImport(Library)]
    public static partial void rocksdb_block_based_options_destroy(nint options);

    [LibraryImport(Library)]
    public static partial void rocksdb_block_based_options_set_block_cache(BlockBasedTableOptions options, Cache cache);

    [LibraryImport(Library)]
    public static partial void rocksdb_block_based_options_set_block_size(BlockBasedTableOptions options, nuint bytes);

    [LibraryImport(Library)]
    public static partial void rocksdb_block_based_options_set_cache_index_and_filter_blocks(
        BlockBasedTableOptions options, byte cached);

    [LibraryImport(Library)]
    public static partial void rocksdb_block_based_options_set_filter_policy(BlockBasedTableOptions options, nint policy);

    [LibraryImport(Library)]
    public static partial nint rocksdb_filterpolicy_create_bloom_full(double bitsPerKey);

    [LibraryImport(Library)]
    public static partial nint rocksdb_cache_create_lru(nuint capacity);

    [LibraryImport(Library)]
    public static partial void rocksdb_cache_destroy(nint cache);
}
