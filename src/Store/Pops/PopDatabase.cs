using System.Buffers.Binary;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Pops;

/// <summary>
/// What is in hand as it stands in RocksDB; <see cref="PopCodec"/> draws the keys and values. Every change is one batch, put together
/// and written by one thread at a time: the database would make the others wait as well, at a higher price.
/// </summary>
internal sealed class PopDatabase : IDisposable
{
    private static readonly byte[] RevivalKey = "popRevival"u8.ToArray();

    private readonly KeyValueStore _values;
    private readonly Lock _writing = new();
    private bool _unsynced;

    /// <param name="values">Has to be opened with <see cref="Families"/> and the family "progress".</param>
    public PopDatabase(KeyValueStore values)
    {
        _values = values;
        Batch = values.NewBatch();
        Pops = values.GetFamily("pops");
        Offsets = values.GetFamily("popOffsets");
        Orders = values.GetFamily("popOrders");
        Progress = values.GetFamily("progress");
    }

    /// <summary>The families that are of pops alone.</summary>
    public static IReadOnlyList<string> Families { get; } = ["pops", "popOffsets", "popOrders"];

    /// <summary>Called by each thread that has ended a change: somebody may have left something to be written meanwhile.</summary>
    public Action? Left { get; set; }

    internal KeyValueBatch Batch { get; }

    internal KeyFamily Pops { get; }

    internal KeyFamily Offsets { get; }

    internal KeyFamily Orders { get; }

    internal KeyFamily Progress { get; }

    /// <summary>Begins a change, when those of others are done; to be disposed by the same thread.</summary>
    public PopChange Begin()
    {
        _writing.Enter();
        Batch.Clear();
        return new PopChange(this);
    }

    /// <summary>Begins a change unless somebody else is at one. To be ended by <see cref="Exit"/>, which calls nobody.</summary>
    public bool TryBegin(out PopChange change)
    {
        if (!_writing.TryEnter())
        {
            change = default;
            return false;
        }

        Batch.Clear();
        change = new PopChange(this);
        return true;
    }

    /// <summary>
    /// Says durably, also for the end of the machine, that messages will be appended again from <paramref name="logOffset"/> on, of
    /// which the check points do not know.
    /// </summary>
    public void PutRevival(long logOffset)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(value, logOffset);
        _values.Put(Progress, RevivalKey, value, sync: true);
    }

    /// <summary>What <see cref="PutRevival"/> said last, unless a change has taken it away; null for nothing.</summary>
    public long? FindRevival() => _values.Get(Progress, RevivalKey) is { } revival ? Int64(revival) : null;

    /// <summary>Brings what was written to the disk, if something was.</summary>
    public void Sync()
    {
        if (Volatile.Read(ref _unsynced))
        {
            Volatile.Write(ref _unsynced, false);
            _values.Sync();
        }
    }

    /// <summary>Reads everything into memory.</summary>
    /// <exception cref="InvalidDataException">What is there was not written here.</exception>
    public void Load(PoppedTopics topics, PopLedger ledger)
    {
        foreach (KeyValueEntry entry in _values.Scan(Offsets))
        {
            PopQueue queue = QueueOf(topics, entry.Key, out _);
            queue.NextOffset = Int64(entry.Value);
            queue.ToldOffset = queue.NextOffset;
        }

        foreach (KeyValueEntry entry in _values.Scan(Pops))
        {
            PopQueue queue = QueueOf(topics, entry.Key, out CheckPointId id);
            PopCheckPoint checkPoint = PopCodec.Read(queue, id, entry.Value, out long dueMs);
            if (checkPoint.Unacked != 0)
            {
                ledger.Add(checkPoint, dueMs);
            }
        }

        foreach (KeyValueEntry entry in _values.Scan(Orders))
        {
            PopQueue queue = QueueOf(topics, entry.Key, out _);
            ledger.Replace(queue, PopCodec.Read(queue, entry.Value));
        }
    }

    /// <summary>Gives the batch back; the database is the caller's.</summary>
    public void Dispose() => Batch.Dispose();

    internal void DeleteRevival() => Batch.Delete(Progress, RevivalKey);

    internal void Write()
    {
        _values.Write(Batch);
        Volatile.Write(ref _unsynced, true);
    }

    internal void Exit() => _writing.Exit();

    private static PopQueue QueueOf(PoppedTopics topics, ReadOnlySpan<byte> key, out CheckPointId id)
    {
        PopCodec.ReadKey(key, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> topic, out int queueId, out id);
        return (uint)queueId < PoppedTopic.MaxQueues
            ? topics.Get(group, topic).GetQueue(queueId)
            : throw new InvalidDataException($"a check point is of queue {queueId}, which cannot be");
    }

    private static long Int64(ReadOnlySpan<byte> value) => value.Length == sizeof(long)
        ? BinaryPrimitives.ReadInt64LittleEndian(value)
        : throw new InvalidDataException($"a pop offset has {value.Length} bytes");
}
