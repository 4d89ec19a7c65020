using System.Runtime.InteropServices;
using System.Text;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>
/// An open database. Reads and writes may come from any thread. Disposing refuses new calls; the database closes when the
/// running ones and the iterators are done.
/// </summary>
internal sealed unsafe class RocksDb : IDisposable
{
    /// <summary>rocksdb::BottommostLevelCompaction: rewrites the last level too, each file once.</summary>
    private const byte ForceOptimized = 3;

    private readonly RocksDbHandle _db;
    private readonly Dictionary<string, ColumnFamilyHandle> _families = new(StringComparer.Ordinal);

    private RocksDb(RocksDbHandle db, ColumnFamilies.Descriptor[] descriptors, ReadOnlySpan<nint> handles)
    {
        _db = db;
        for (int i = 0; i < descriptors.Length; i++)
        {
            _families.Add(descriptors[i].Name, new ColumnFamilyHandle(db, handles[i]));
        }
    }

    /// <exception cref="RocksDbException">It cannot be opened; the message says why.</exception>
    public static RocksDb Open(DbOptions options, string path, ColumnFamilies columnFamilies)
    {
        ColumnFamilies.Descriptor[] descriptors = [.. columnFamilies];
        var names = new nint[descriptors.Length];
        var familyOptions = new nint[descriptors.Length];
        var handles = new nint[descriptors.Length];
        try
        {
            for (int i = 0; i < descriptors.Length; i++)
            {
                names[i] = Marshal.StringToCoTaskMemUTF8(descriptors[i].Name);
                familyOptions[i] = descriptors[i].Options.DangerousGetHandle();
            }
            byte* error = null;
            nint db;
            fixed (byte* pathBytes = NullTerminated(path))
            fixed (nint* nameBytes = names, optionHandles = familyOptions, familyHandles = handles)
            {
                db = Native.rocksdb_open_column_families(
                    options, pathBytes, descriptors.Length, (byte**)nameBytes, optionHandles, familyHandles, &error);
            }
            GC.KeepAlive(descriptors);
            RocksDbException.ThrowIf(error);
            return new RocksDb(new RocksDbHandle(db), descriptors, handles);
        }
        finally
        {
            foreach (nint name in names)
            {
                Marshal.FreeCoTaskMem(name);
            }
        }
    }

    /// <summary>The families that are in a database, "default" included.</summary>
    /// <exception cref="RocksDbException">There is no database, or it cannot be read.</exception>
    public static IReadOnlyList<string> ListColumnFamilies(DbOptions options, string path)
    {
        byte* error = null;
        nuint count;
        byte** names;
        fixed (byte* pathBytes = NullTerminated(path))
        {
            names = Native.rocksdb_list_column_families(options, pathBytes, &count, &error);
        }
        RocksDbException.ThrowIf(error);
        var list = new string[checked((int)count)];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = Marshal.PtrToStringUTF8((nint)names[i]) ?? "";
        }
        Native.rocksdb_list_column_families_destroy(names, count);
        return list;
    }

    public ColumnFamilyHandle GetColumnFamily(string name) => _families[name];

    /// <summary>Reads without a copy: the deserializer sees RocksDB's bytes.</summary>
    /// <returns>False when there is no such key.</returns>
    public bool TryGet<T, TDeserializer>(
        ReadOnlySpan<byte> key, scoped TDeserializer deserializer, ColumnFamilyHandle cf, ReadOptions readOptions, out T? value)
        where TDeserializer : ISpanDeserializer<T>, allows ref struct
    {
        bool added = false;
        try
        {
            // The pinned bytes belong to the database's block cache: it must not close before they are let go.
            _db.DangerousAddRef(ref added);
            byte* error = null;
            nint slice;
            fixed (byte* keyBytes = key)
            {
                slice = Native.rocksdb_get_pinned_cf(_db, readOptions, cf, keyBytes, (nuint)key.Length, &error);
            }
            RocksDbException.ThrowIf(error);
            if (slice == 0)
            {
                value = default;
                return false;
            }
            try
            {
                nuint length;
                byte* bytes = Native.rocksdb_pinnableslice_value(slice, &length);
                value = deserializer.Deserialize(new ReadOnlySpan<byte>(bytes, checked((int)length)));
                return true;
            }
            finally
            {
                Native.rocksdb_pinnableslice_destroy(slice);
            }
        }
        finally
        {
            if (added)
            {
                _db.DangerousRelease();
            }
        }
    }

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ColumnFamilyHandle cf, WriteOptions writeOptions)
    {
        byte* error = null;
        fixed (byte* keyBytes = key, valueBytes = value)
        {
            Native.rocksdb_put_cf(
                _db, writeOptions, cf, keyBytes, (nuint)key.Length, valueBytes, (nuint)value.Length, &error);
        }
        RocksDbException.ThrowIf(error);
    }

    public void Remove(ReadOnlySpan<byte> key, ColumnFamilyHandle cf, WriteOptions writeOptions)
    {
        byte* error = null;
        fixed (byte* keyBytes = key)
        {
            Native.rocksdb_delete_cf(_db, writeOptions, cf, keyBytes, (nuint)key.Length, &error);
        }
        RocksDbException.ThrowIf(error);
    }

    public void Write(WriteBatch writeBatch, WriteOptions writeOptions)
    {
        byte* error = null;
        Native.rocksdb_write(_db, writeOptions, writeBatch, &error);
        RocksDbException.ThrowIf(error);
    }

    public Iterator NewIterator(ColumnFamilyHandle cf, ReadOptions readOptions) => new(_db, cf, readOptions);

    /// <summary>Hands the write-ahead log to the operating system and, with <paramref name="sync"/>, to the disk.</summary>
    public void FlushWal(bool sync)
    {
        byte* error = null;
        Native.rocksdb_flush_wal(_db, sync ? (byte)1 : (byte)0, &error);
        RocksDbException.ThrowIf(error);
    }

    /// <summary>Rewrites a family as a whole, so that nothing deleted remains in its last level.</summary>
    public void CompactRange(ColumnFamilyHandle cf)
    {
        nint options = Native.rocksdb_compactoptions_create();
        try
        {
            Native.rocksdb_compactoptions_set_bottommost_level_compaction(options, ForceOptimized);
            Native.rocksdb_compact_range_cf_opt(_db, cf, options, null, 0, null, 0);
        }
        finally
        {
            Native.rocksdb_compactoptions_destroy(options);
        }
    }

    /// <summary>A property that is a number ("rocksdb.estimate-num-keys"), or null when RocksDB does not know it.</summary>
    public ulong? GetPropertyInt(string propertyName, ColumnFamilyHandle cf)
    {
        ulong value;
        fixed (byte* name = NullTerminated(propertyName))
        {
            return Native.rocksdb_property_int_cf(_db, cf, name, &value) == 0 ? value : null;
        }
    }

    public void Dispose()
    {
        foreach (ColumnFamilyHandle family in _families.Values)
        {
            family.Dispose();
        }
        _db.Dispose();
    }

    private static byte[] NullTerminated(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        return Encoding.UTF8.GetBytes(text + '\0');
    }
}
