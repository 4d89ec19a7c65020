using System.Buffers.Binary;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Timers;

/// <summary>
/// The entries as they stand in RocksDB, ordered by when they are due, and the two marks that go with them.
/// <code>
/// family    key                                  value
/// timers    due ms (8), physical offset (8)      level (1; 0 for a time of its own), 1 if it is to be rolled (1)
/// progress  timers                               applied offset (8)
///           timers.low                           no entry is due before (8)
/// </code>
/// Numbers are big endian. Throws <see cref="KeyValueStoreException"/> when the database fails. May be used by any thread.
/// </summary>
internal sealed class TimerTable(KeyValueStore values, KeyFamily timers, KeyFamily progress)
{
    private const int KeyBytes = 16;
    private const int ValueBytes = 2;

    private static readonly byte[] AppliedKey = "timers"u8.ToArray();
    private static readonly byte[] LowKey = "timers.low"u8.ToArray();

    /// <summary>Up to where the log is in the table; null if that was never written.</summary>
    public long? ReadApplied() => ReadNumber(AppliedKey);

    /// <summary>Nothing is due before, ms; null if that was never written.</summary>
    public long? ReadLow() => ReadNumber(LowKey);

    public void PutApplied(KeyValueBatch batch, long offset) =>
        batch.Put(progress, AppliedKey, Number(stackalloc byte[sizeof(long)], offset));

    public void PutLow(KeyValueBatch batch, long dueMs) => batch.Put(progress, LowKey, Number(stackalloc byte[sizeof(long)], dueMs));

    /// <summary>Sets the applied offset by itself, and brings it to the disk.</summary>
    public void SyncApplied(long offset) =>
        values.Put(progress, AppliedKey, Number(stackalloc byte[sizeof(long)], offset), sync: true);

    public bool Contains(in TimerEntry entry) =>
        values.Contains(timers, Key(stackalloc byte[KeyBytes], (entry.DueMs, entry.PhysicalOffset)));

    public void Put(KeyValueBatch batch, in TimerEntry entry) => batch.Put(
        timers,
        Key(stackalloc byte[KeyBytes], (entry.DueMs, entry.PhysicalOffset)),
        [entry.Level, entry.IsRoll ? (byte)1 : (byte)0]);

    public void Delete(KeyValueBatch batch, in TimerEntry entry) =>
        batch.Delete(timers, Key(stackalloc byte[KeyBytes], (entry.DueMs, entry.PhysicalOffset)));

    /// <summary>All entries, as they are now.</summary>
    public Walk All() => new(values.Scan(timers));

    /// <summary>The entries from a place on, as they are now.</summary>
    public Walk From((long DueMs, long Offset) place) => new(values.Scan(timers, Key(stackalloc byte[KeyBytes], place)));

    /// <summary>When the first entry is due from a time on; <see cref="long.MaxValue"/> for none.</summary>
    public long FirstDueFrom(long dueMs)
    {
        foreach (TimerEntry entry in From((dueMs, 0)))
        {
            return entry.DueMs;
        }

        return long.MaxValue;
    }

    private long? ReadNumber(ReadOnlySpan<byte> key) =>
        values.Get(progress, key) is { Length: sizeof(long) } bytes ? BinaryPrimitives.ReadInt64BigEndian(bytes) : null;

    private static Span<byte> Number(Span<byte> bytes, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    // Times and offsets are not negative, so their bytes stand in their order.
    private static Span<byte> Key(Span<byte> key, (long DueMs, long Offset) place)
    {
        BinaryPrimitives.WriteInt64BigEndian(key, place.DueMs);
        BinaryPrimitives.WriteInt64BigEndian(key[sizeof(long)..], place.Offset);
        return key;
    }

    /// <summary>Entries in their order, to be walked once by foreach; what is none is passed over.</summary>
    public ref struct Walk(KeyValueScan scan)
    {
        private KeyValueScan _scan = scan;

        public TimerEntry Current { get; private set; }

        public readonly Walk GetEnumerator() => this;

        public bool MoveNext()
        {
            while (_scan.MoveNext())
            {
                KeyValueEntry item = _scan.Current;
                if (item.Key.Length == KeyBytes && item.Value.Length == ValueBytes)
                {
                    Current = new TimerEntry(
                        BinaryPrimitives.ReadInt64BigEndian(item.Key),
                        BinaryPrimitives.ReadInt64BigEndian(item.Key[sizeof(long)..]),
                        item.Value[0],
                        item.Value[1] != 0);
                    return true;
                }
            }

            return false;
        }

        public readonly void Dispose() => _scan.Dispose();
    }
}
