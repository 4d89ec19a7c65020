using System.Runtime.InteropServices;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>
/// The functions of RocksDB's C API that are used (rocksdb/c.h). Handles are SafeHandles, so that nothing is destroyed
/// while a call uses it. An <c>errptr</c> starts as null and, when set, is freed by <see cref="RocksDbException.ThrowIf"/>.
/// </summary>
internal static unsafe partial class Native
{
    private const string Library = RocksDbLibrary.Name;

    static Native() => NativeLibrary.SetDllImportResolver(typeof(Native).Assembly, RocksDbLibrary.Resolve);

    [LibraryImport(Library)]
    public static partial void rocksdb_free(void* pointer);

    // The database.

    [LibraryImport(Library)]
    public static partial nint rocksdb_open_column_families(
        DbOptions options, byte* path, int count, byte** names, nint* familyOptions, nint* handles, byte** errptr);

    [LibraryImport(Library)]
    public static partial byte** rocksdb_list_column_families(
        DbOptions options, byte* path, nuint* count, byte** errptr);

    [LibraryImport(Library)]
    public static partial void rocksdb_list_column_families_destroy(byte** names, nuint count);

    [LibraryImport(Library)]
    public static partial void rocksdb_close(nint db);

    [LibraryImport(Library)]
    public static partial void rocksdb_column_family_handle_destroy(nint family);

    [LibraryImport(Library)]
    public static partial void rocksdb_put_cf(
        RocksDbHandle db, WriteOptions options, ColumnFamilyHandle family,
        byte* key, nuint keyLength, byte* value, nuint valueLength, byte** errptr);

    [LibraryImport(Library)]
    public static partial void rocksdb_delete_cf(
        RocksDbHandle db, WriteOptions options, ColumnFamilyHandle family, byte* key, nuint keyLength, byte** errptr);

    [LibraryImport(Library)]
    public static partial void rocksdb_write(RocksDbHandle db, WriteOptions options, WriteBatch batch, byte** errptr);

    [LibraryImport(Library)]
    public static partial nint rocksdb_get_pinned_cf(
        RocksDbHandle db, ReadOptions options, ColumnFamilyHandle family, byte* key, nuint keyLength, byte** errptr);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial byte* rocksdb_pinnableslice_value(nint slice, nuint* length);

    [LibraryImport(Library)]
    public static partial void rocksdb_pinnableslice_destroy(nint slice);

    [LibraryImport(Library)]
    public static partial void rocksdb_flush_wal(RocksDbHandle db, byte sync, byte** errptr);

    [LibraryImport(Library)]
    public static partial void rocksdb_compact_range_cf_opt(
        RocksDbHandle db, ColumnFamilyHandle family, nint options,
        byte* start, nuint startLength, byte* limit, nuint limitLength);

    [LibraryImport(Library)]
    public static partial nint rocksdb_compactoptions_create();

    [LibraryImport(Library)]
    public static partial void rocksdb_compactoptions_destroy(nint options);

    [LibraryImport(Library)]
    public static partial void rocksdb_compactoptions_set_bottommost_level_compaction(nint options, byte mode);

    [LibraryImport(Library)]
    public static partial int rocksdb_property_int_cf(
        RocksDbHandle db, ColumnFamilyHandle family, byte* name, ulong* value);

    // Iterators.

    [LibraryImport(Library)]
    public static partial nint rocksdb_create_iterator_cf(RocksDbHandle db, ReadOptions options, ColumnFamilyHandle family);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_destroy(nint iterator);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_seek_to_first(Iterator iterator);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_seek_to_last(Iterator iterator);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_seek(Iterator iterator, byte* key, nuint keyLength);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_seek_for_prev(Iterator iterator, byte* key, nuint keyLength);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_next(Iterator iterator);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_prev(Iterator iterator);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial byte rocksdb_iter_valid(Iterator iterator);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial byte* rocksdb_iter_key(Iterator iterator, nuint* length);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial byte* rocksdb_iter_value(Iterator iterator, nuint* length);

    [LibraryImport(Library)]
    public static partial void rocksdb_iter_get_error(Iterator iterator, byte** errptr);

    // Write batches.

    [LibraryImport(Library)]
    public static partial nint rocksdb_writebatch_create();

    [LibraryImport(Library)]
    public static partial void rocksdb_writebatch_destroy(nint batch);

    [LibraryImport(Library)]
    public static partial void rocksdb_writebatch_clear(WriteBatch batch);

    [LibraryImport(Library)]
    public static partial int rocksdb_writebatch_count(WriteBatch batch);

    [LibraryImport(Library)]
    public static partial void rocksdb_writebatch_put_cf(
        WriteBatch batch, ColumnFamilyHandle family, byte* key, nuint keyLength, byte* value, nuint valueLength);

    [LibraryImport(Library)]
    public static partial void rocksdb_writebatch_delete_cf(
        WriteBatch batch, ColumnFamilyHandle family, byte* key, nuint keyLength);

    [LibraryImport(Library)]
    public static partial void rocksdb_writebatch_delete_range_cf(
        WriteBatch batch, ColumnFamilyHandle family, byte* start, nuint startLength, byte* end, nuint endLength);

    // Options of one read or write.

    [LibraryImport(Library)]
    public static partial nint rocksdb_readoptions_create();

    [LibraryImport(Library)]
    public static partial void rocksdb_readoptions_destroy(nint options);

    [LibraryImport(Library)]
    public static partial void rocksdb_readoptions_set_fill_cache(ReadOptions options, byte fill);

    [LibraryImport(Library)]
    public static partial void rocksdb_readoptions_set_iterate_lower_bound(ReadOptions options, byte* key, nuint length);

    [LibraryImport(Library)]
    public static partial void rocksdb_readoptions_set_iterate_upper_bound(ReadOptions options, byte* key, nuint length);

    [LibraryImport(Library)]
    public static partial nint rocksdb_writeoptions_create();

    [LibraryImport(Library)]
    public static partial void rocksdb_writeoptions_destroy(nint options);

    [LibraryImport(Library)]
    public static partial void rocksdb_writeoptions_set_sync(WriteOptions options, byte sync);
}
