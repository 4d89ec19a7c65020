using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using GrayMQ.Store.RocksDbSharp;

namespace GrayMQ.Store.KeyValue;

/// <summary>
/// Keys and values in families, ordered by the keys' bytes, in one directory. What Put, Delete and Write did when they
/// return survives the end of the process, however it ends; with <c>sync</c> it survives the end of the machine. May be
/// used from any thread.
/// </summary>
/// <remarks>
/// Every operation throws <see cref="KeyValueStoreException"/> when RocksDB fails, and <see cref="ObjectDisposedException"/>
/// after <see cref="Dispose"/>. Build keys with <see cref="KeyWriter"/>.
/// </remarks>
public sealed class KeyValueStore : IDisposable
{
    private readonly RocksDb _db;
    private readonly Dictionary<string, KeyFamily> _families;
    private readonly ReadOptions _read = new();
    private readonly WriteOptions _write = new();
    private readonly WriteOptions _writeSync = new WriteOptions().SetSync(true);

    /// <summary>Refuses new calls; that those which passed it meanwhile are safe is what the handles see to.</summary>
    private volatile bool _disposed;

    private KeyValueStore(string path, RocksDb db, IEnumerable<string> families)
    {
        Path = path;
        _db = db;
        _families = families.ToDictionary(
            name => name, name => new KeyFamily(name, this, db.GetColumnFamily(name)), StringComparer.Ordinal);
    }

    public string Path { get; }

    /// <summary>Opens the store in a directory, which is created when it is missing.</summary>
    /// <exception cref="KeyValueStoreException">It is open already, damaged, or not accessible; or no librocksdb.</exception>
    public static KeyValueStore Open(string path, params IReadOnlyList<string> families) =>
        Open(path, new KeyValueStoreOptions { Families = families });

    /// <inheritdoc cref="Open(string, IReadOnlyList{string})"/>
    public static KeyValueStore Open(string path, KeyValueStoreOptions options)
    {
        options.Validate();
        string fullPath = System.IO.Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(fullPath);
            return new KeyValueStore(fullPath, KeyValueStoreOpening.Open(fullPath, options), options.Families);
        }
        catch (Exception error) when (error
            is RocksDbException or DllNotFoundException or IOException or UnauthorizedAccessException)
        {
            throw KeyValueStoreException.From(fullPath, "open", error);
        }
    }

    /// <exception cref="ArgumentException">The store was opened without it.</exception>
    public KeyFamily GetFamily(string name) => _families.TryGetValue(name, out KeyFamily? family)
        ? family
        : throw new ArgumentException($"the store has no family {name}", nameof(name));

    /// <summary>A copy of the value, or null.</summary>
    public byte[]? Get(KeyFamily family, ReadOnlySpan<byte> key) => TryGet(family, key, out byte[]? value) ? value : null;

    public bool TryGet(KeyFamily family, ReadOnlySpan<byte> key, [NotNullWhen(true)] out byte[]? value) =>
        TryRead(family, key, 0, static (bytes, _) => bytes.ToArray(), out value);

    /// <summary>Appends the value to <paramref name="destination"/>.</summary>
    public bool TryGet(KeyFamily family, ReadOnlySpan<byte> key, IBufferWriter<byte> destination) =>
        TryRead(
            family, key, destination,
            static (bytes, writer) =>
            {
                writer.Write(bytes);
                return true;
            },
            out _);

    /// <summary>Copies the value.</summary>
    /// <returns>The value's length, which tells whether it fitted; -1 when there is no such key.</returns>
    public int Get(KeyFamily family, ReadOnlySpan<byte> key, Span<byte> destination) =>
        TryRead(
            family, key, destination,
            static (bytes, target) =>
            {
                bytes[..Math.Min(bytes.Length, target.Length)].CopyTo(target);
                return bytes.Length;
            },
            out int length)
            ? length
            : -1;

    public bool Contains(KeyFamily family, ReadOnlySpan<byte> key) => TryRead(family, key, 0, static (_, _) => true, out _);

    /// <summary>Lets <paramref name="reader"/> see the stored bytes, without a copy.</summary>
    public bool TryRead<TState, TResult>(
        KeyFamily family,
        ReadOnlySpan<byte> key,
        scoped TState state,
        ValueReader<TState, TResult> reader,
        [MaybeNullWhen(false)] out TResult result)
        where TState : allows ref struct
    {
        RequireOwn(family);
        try
        {
            return _db.TryGet(key, new Deserializer<TState, TResult>(state, reader), family.Handle, _read, out result);
        }
        catch (RocksDbException error)
        {
            throw KeyValueStoreException.From(Path, "read", error);
        }
    }

    /// <param name="sync">Whether to return only when the change is on the disk.</param>
    public void Put(KeyFamily family, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool sync = false)
    {
        RequireOwn(family);
        try
        {
            _db.Put(key, value, family.Handle, sync ? _writeSync : _write);
        }
        catch (RocksDbException error)
        {
            throw KeyValueStoreException.From(Path, "write to", error);
        }
    }

    /// <summary>A key that is not there is no error.</summary>
    /// <param name="sync">Whether to return only when the change is on the disk.</param>
    public void Delete(KeyFamily family, ReadOnlySpan<byte> key, bool sync = false)
    {
        RequireOwn(family);
        try
        {
            _db.Remove(key, family.Handle, sync ? _writeSync : _write);
        }
        catch (RocksDbException error)
        {
            throw KeyValueStoreException.From(Path, "write to", error);
        }
    }

    /// <summary>A batch for this store; use it again after <see cref="KeyValueBatch.Clear"/>.</summary>
    public KeyValueBatch NewBatch() => new(this);

    /// <summary>Does all that a batch holds, or nothing of it, also when the machine stops meanwhile.</summary>
    /// <param name="sync">Whether to return only when the changes are on the disk.</param>
    public void Write(KeyValueBatch batch, bool sync = false)
    {
        if (!ReferenceEquals(batch.Store, this))
        {
            throw new ArgumentException("the batch belongs to another store", nameof(batch));
        }
        ObjectDisposedException.ThrowIf(_disposed, this);
        try
        {
            _db.Write(batch.Changes, sync ? _writeSync : _write);
        }
        catch (RocksDbException error)
        {
            throw KeyValueStoreException.From(Path, "write to", error);
        }
    }

    /// <summary>
    /// Walks the keys from <paramref name="from"/> up to, not including, <paramref name="to"/>, as they are now; an empty
    /// bound is none. To be disposed, which foreach does.
    /// </summary>
    /// <param name="backwards">From the greatest key down.</param>
    public KeyValueScan Scan(
        KeyFamily family,
        scoped ReadOnlySpan<byte> from = default,
        scoped ReadOnlySpan<byte> to = default,
        bool backwards = false)
    {
        RequireOwn(family);
        using var options = new ReadOptions(); // the iterator keeps it as long as it needs it
        if (!from.IsEmpty)
        {
            options.SetIterateLowerBound(from);
        }
        if (!to.IsEmpty)
        {
            options.SetIterateUpperBound(to);
        }
        return new KeyValueScan(Path, _db.NewIterator(family.Handle, options), backwards);
    }

    /// <summary>Walks the keys that begin with <paramref name="prefix"/>; see <see cref="Scan"/>.</summary>
    public KeyValueScan ScanPrefix(KeyFamily family, scoped ReadOnlySpan<byte> prefix, bool backwards = false)
    {
        byte[]? rented = null;
        Span<byte> end = prefix.Length <= KeyWriter.MaxStackKey
            ? stackalloc byte[KeyWriter.MaxStackKey]
            : rented = ArrayPool<byte>.Shared.Rent(prefix.Length);
        try
        {
            int length = KeyWriter.PrefixEnd(prefix, end);
            return Scan(family, prefix, end[..length], backwards);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    /// <summary>Brings everything written so far to the disk.</summary>
    public void Sync()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        try
        {
            _db.FlushWal(sync: true);
        }
        catch (RocksDbException error)
        {
            throw KeyValueStoreException.From(Path, "write to", error);
        }
    }

    /// <summary>How many keys a family holds; an estimate that counts changes not yet merged.</summary>
    public long EstimateCount(KeyFamily family) => Property(family, "rocksdb.estimate-num-keys");

    /// <summary>Memory of all write buffers of a family, in bytes.</summary>
    public long WriteBufferBytes(KeyFamily family) => Property(family, "rocksdb.cur-size-all-mem-tables");

    /// <summary>Rewrites a family without what was deleted or replaced. Takes as long as the family is big.</summary>
    public void Compact(KeyFamily family)
    {
        RequireOwn(family);
        _db.CompactRange(family.Handle);
    }

    /// <summary>Closes the store when the calls and scans that run are done; nothing new begins.</summary>
    public void Dispose()
    {
        _disposed = true;
        _db.Dispose();
        _read.Dispose();
        _write.Dispose();
        _writeSync.Dispose();
    }

    internal void RequireOwn(KeyFamily family)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!ReferenceEquals(family.Store, this))
        {
            throw new ArgumentException($"the family {family} belongs to another store", nameof(family));
        }
    }

    private long Property(KeyFamily family, string name)
    {
        RequireOwn(family);
        return (long)Math.Min(_db.GetPropertyInt(name, family.Handle) ?? 0, long.MaxValue);
    }

    private readonly ref struct Deserializer<TState, TResult>(TState state, ValueReader<TState, TResult> reader)
        : ISpanDeserializer<TResult>
        where TState : allows ref struct
    {
        private readonly TState _state = state;

        public TResult Deserialize(ReadOnlySpan<byte> buffer) => reader(buffer, _state);
    }
}
