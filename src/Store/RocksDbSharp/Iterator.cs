using Microsoft.Win32.SafeHandles;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>
/// Walks a family in the order of its keys, as it was when the iterator was made. Spans hold until the next move. Keeps
/// its database, family and options alive until it is disposed. For one thread at a time.
/// </summary>
internal sealed unsafe class Iterator : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly RocksDbHandle _db;
    private readonly ColumnFamilyHandle _family;
    private readonly ReadOptions _options;

    internal Iterator(RocksDbHandle db, ColumnFamilyHandle family, ReadOptions options)
        : base(ownsHandle: true)
    {
        _db = db;
        _family = family;
        _options = options;
        bool dbAdded = false;
        bool familyAdded = false;
        bool optionsAdded = false;
        try
        {
            db.DangerousAddRef(ref dbAdded);
            family.DangerousAddRef(ref familyAdded);
            options.DangerousAddRef(ref optionsAdded);
            SetHandle(Native.rocksdb_create_iterator_cf(db, options, family));
        }
        finally
        {
            if (IsInvalid)
            {
                Release(dbAdded, familyAdded, optionsAdded);
            }
        }
    }

    public bool Valid() => Native.rocksdb_iter_valid(this) != 0;

    public Iterator SeekToFirst()
    {
        Native.rocksdb_iter_seek_to_first(this);
        return this;
    }

    public Iterator SeekToLast()
    {
        Native.rocksdb_iter_seek_to_last(this);
        return this;
    }

    /// <summary>To the first key that is not smaller.</summary>
    public Iterator Seek(ReadOnlySpan<byte> key)
    {
        fixed (byte* bytes = key)
        {
            Native.rocksdb_iter_seek(this, bytes, (nuint)key.Length);
        }
        return this;
    }

    /// <summary>To the last key that is not greater.</summary>
    public Iterator SeekForPrev(ReadOnlySpan<byte> key)
    {
        fixed (byte* bytes = key)
        {
            Native.rocksdb_iter_seek_for_prev(this, bytes, (nuint)key.Length);
        }
        return this;
    }

    public Iterator Next()
    {
        Native.rocksdb_iter_next(this);
        return this;
    }

    public Iterator Prev()
    {
        Native.rocksdb_iter_prev(this);
        return this;
    }

    public ReadOnlySpan<byte> GetKeySpan()
    {
        nuint length;
        byte* key = Native.rocksdb_iter_key(this, &length);
        return new ReadOnlySpan<byte>(key, checked((int)length));
    }

    public ReadOnlySpan<byte> GetValueSpan()
    {
        nuint length;
        byte* value = Native.rocksdb_iter_value(this, &length);
        return new ReadOnlySpan<byte>(value, checked((int)length));
    }

    /// <summary>An iterator that is not valid has come to its end or upon an error; this throws the error.</summary>
    /// <exception cref="RocksDbException">A file could not be read, or holds what was not written.</exception>
    public void ThrowIfFailed()
    {
        byte* error = null;
        Native.rocksdb_iter_get_error(this, &error);
        RocksDbException.ThrowIf(error);
    }

    protected override bool ReleaseHandle()
    {
        Native.rocksdb_iter_destroy(handle);
        Release(true, true, true);
        return true;
    }

    private void Release(bool db, bool family, bool options)
    {
        if (options)
        {
            _options.DangerousRelease();
        }
        if (family)
        {
            _family.DangerousRelease();
        }
        if (db)
        {
            _db.DangerousRelease();
        }
    }
}
