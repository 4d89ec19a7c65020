using System.Buffers.Binary;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// The half messages that have been pending for longer, and what is owed to the operation queue, in the state database (layout:
/// <see cref="HalfMessageCodec"/>). Every method throws IOException when the database fails. For one thread at a time.
/// </summary>
internal sealed class OldHalves(KeyValueStore values, KeyFamily family, HalfTopics topics)
{
    public KeyValueBatch NewBatch() => values.NewBatch();

    public void Write(KeyValueBatch batch) => values.Write(batch);

    /// <summary>Counts what is here, by topic. To be called once, first.</summary>
    public void Load()
    {
        using KeyValueScan scan = Scan(HalfMessageCodec.HalfKind, long.MinValue);
        while (scan.MoveNext())
        {
            HalfMessageCodec.Decode(HalfMessageCodec.NumberOf(scan.Key), scan.Value, topics).Topic.Count++;
        }
    }

    public bool TryFind(long root, out HalfMessage half)
    {
        half = default;
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        return values.TryRead(
            family,
            HalfMessageCodec.Key(key, HalfMessageCodec.HalfKind, root),
            (Root: root, Topics: topics),
            static (value, at) => HalfMessageCodec.Decode(at.Root, value, at.Topics),
            out half);
    }

    public bool TryFindByQueueOffset(long queueOffset, out HalfMessage half) =>
        TryFind(HalfMessageCodec.QueueKind, queueOffset, out half);

    /// <summary>By the root, or by the record of the last check.</summary>
    public bool TryFindByRecord(long physicalOffset, out HalfMessage half) =>
        TryFind(physicalOffset, out half) || TryFind(HalfMessageCodec.CurrentKind, physicalOffset, out half);

    public void Add(KeyValueBatch batch, in HalfMessage half)
    {
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        batch.Put(family, HalfMessageCodec.Key(key, HalfMessageCodec.HalfKind, half.Root), HalfMessageCodec.Encode(half));
        batch.Put(family, HalfMessageCodec.DueKey(key, half.DueMs, half.Root), default);
        if (half.QueueOffset >= 0)
        {
            PutNumber(batch, HalfMessageCodec.Key(key, HalfMessageCodec.QueueKind, half.QueueOffset), half.Root);
        }

        if (half.PhysicalOffset != half.Root)
        {
            PutNumber(batch, HalfMessageCodec.Key(key, HalfMessageCodec.CurrentKind, half.PhysicalOffset), half.Root);
        }
    }

    public void Replace(KeyValueBatch batch, in HalfMessage old, in HalfMessage half)
    {
        DeleteIndexes(batch, in old);
        Add(batch, in half);
    }

    public void Remove(KeyValueBatch batch, in HalfMessage half)
    {
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        batch.Delete(family, HalfMessageCodec.Key(key, HalfMessageCodec.HalfKind, half.Root));
        DeleteIndexes(batch, in half);
    }

    public void PutOwed(KeyValueBatch batch, long queueOffset)
    {
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        batch.Put(family, HalfMessageCodec.Key(key, HalfMessageCodec.OwedKind, queueOffset), default);
    }

    public void RemoveOwed(KeyValueBatch batch, long queueOffset)
    {
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        batch.Delete(family, HalfMessageCodec.Key(key, HalfMessageCodec.OwedKind, queueOffset));
    }

    public void PutOperation(KeyValueBatch batch, long operationOffset, long greatestQueueOffset)
    {
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        PutNumber(batch, HalfMessageCodec.Key(key, HalfMessageCodec.OperationKind, operationOffset), greatestQueueOffset);
    }

    /// <summary>Where this database begins: see <see cref="HalfMessageCodec"/>; null before the first record.</summary>
    public long? FindFirst()
    {
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        return values.TryRead(
            family, HalfMessageCodec.Key(key, HalfMessageCodec.FirstKind, 0), 0,
            static (value, _) => BinaryPrimitives.ReadInt64BigEndian(value), out long first) ? first : null;
    }

    public void PutFirst(long physicalOffset)
    {
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        using KeyValueBatch batch = NewBatch();
        PutNumber(batch, HalfMessageCodec.Key(key, HalfMessageCodec.FirstKind, 0), physicalOffset);
        Write(batch);
    }

    /// <summary>Those whose root is at or behind an offset, in that order.</summary>
    public List<HalfMessage> All(long fromRoot, int max)
    {
        var found = new List<HalfMessage>();
        using KeyValueScan scan = Scan(HalfMessageCodec.HalfKind, fromRoot);
        while (found.Count < max && scan.MoveNext())
        {
            found.Add(HalfMessageCodec.Decode(HalfMessageCodec.NumberOf(scan.Key), scan.Value, topics));
        }

        return found;
    }

    /// <summary>Roots of those that are due, the earliest first.</summary>
    public List<long> Due(long nowMs, int max)
    {
        var found = new List<long>();
        Span<byte> from = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        Span<byte> to = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        using KeyValueScan scan = values.Scan(
            family,
            HalfMessageCodec.Key(from, HalfMessageCodec.DueKind, long.MinValue),
            HalfMessageCodec.Key(to, HalfMessageCodec.DueKind, nowMs + 1));
        while (found.Count < max && scan.MoveNext())
        {
            found.Add(HalfMessageCodec.RootOf(scan.Key));
        }

        return found;
    }

    /// <summary>Queue offsets that no operation record names yet.</summary>
    public List<long> Owed()
    {
        var found = new List<long>();
        using KeyValueScan scan = Scan(HalfMessageCodec.OwedKind, long.MinValue);
        while (scan.MoveNext())
        {
            found.Add(HalfMessageCodec.NumberOf(scan.Key));
        }

        return found;
    }

    /// <summary>Puts aside a transaction that has ended.</summary>
    /// <param name="recordEnd">Where the record ends that says so.</param>
    public void PutEnded(KeyValueBatch batch, long recordEnd, in HalfMessage half)
    {
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        batch.Put(family, HalfMessageCodec.EndedKey(key, recordEnd, half.Root), HalfMessageCodec.Encode(half));
    }

    public void RemoveEnded(KeyValueBatch batch, long recordEnd, long root)
    {
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        batch.Delete(family, HalfMessageCodec.EndedKey(key, recordEnd, root));
    }

    /// <summary>What was put aside, in the order of the records that have ended it.</summary>
    public List<(long RecordEnd, HalfMessage Half)> Ended()
    {
        var found = new List<(long, HalfMessage)>();
        using KeyValueScan scan = Scan(HalfMessageCodec.EndedKind, long.MinValue);
        while (scan.MoveNext())
        {
            long root = HalfMessageCodec.RootOf(scan.Key);
            found.Add((HalfMessageCodec.NumberOf(scan.Key), HalfMessageCodec.Decode(root, scan.Value, topics)));
        }

        return found;
    }

    /// <summary>Those whose last record is a check at or behind an offset.</summary>
    public List<HalfMessage> CheckedFrom(long physicalOffset)
    {
        var found = new List<HalfMessage>();
        using KeyValueScan scan = Scan(HalfMessageCodec.CurrentKind, physicalOffset);
        while (scan.MoveNext())
        {
            if (TryFind(BinaryPrimitives.ReadInt64BigEndian(scan.Value), out HalfMessage half))
            {
                found.Add(half);
            }
        }

        return found;
    }

    /// <summary>The smallest queue offset of those that are here; null if there are none.</summary>
    public long? MinQueueOffset()
    {
        using KeyValueScan scan = Scan(HalfMessageCodec.QueueKind, long.MinValue);
        return scan.MoveNext() ? HalfMessageCodec.NumberOf(scan.Key) : null;
    }

    /// <summary>
    /// Forgets operation records that name nothing at or behind a queue offset, as far as they stand before all others. Returns the
    /// offset of the first that is left; null if there is none.
    /// </summary>
    public long? PassOperations(long queueOffset)
    {
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        using KeyValueBatch batch = NewBatch();
        long? left = null;
        using (KeyValueScan scan = Scan(HalfMessageCodec.OperationKind, long.MinValue))
        {
            while (left is null && scan.MoveNext())
            {
                long operation = HalfMessageCodec.NumberOf(scan.Key);
                if (BinaryPrimitives.ReadInt64BigEndian(scan.Value) >= queueOffset)
                {
                    left = operation;
                }
                else
                {
                    batch.Delete(family, HalfMessageCodec.Key(key, HalfMessageCodec.OperationKind, operation));
                }
            }
        }

        if (batch.Count > 0)
        {
            Write(batch);
        }

        return left;
    }

    private bool TryFind(byte kind, long number, out HalfMessage half)
    {
        half = default;
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        return values.TryRead(
            family, HalfMessageCodec.Key(key, kind, number), 0,
            static (value, _) => BinaryPrimitives.ReadInt64BigEndian(value), out long root)
            && TryFind(root, out half);
    }

    private KeyValueScan Scan(byte kind, long from)
    {
        Span<byte> first = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        return values.Scan(family, HalfMessageCodec.Key(first, kind, from), [(byte)(kind + 1)]);
    }

    private void DeleteIndexes(KeyValueBatch batch, in HalfMessage half)
    {
        Span<byte> key = stackalloc byte[HalfMessageCodec.MaxKeyBytes];
        batch.Delete(family, HalfMessageCodec.DueKey(key, half.DueMs, half.Root));
        batch.Delete(family, HalfMessageCodec.Key(key, HalfMessageCodec.QueueKind, half.QueueOffset));
        batch.Delete(family, HalfMessageCodec.Key(key, HalfMessageCodec.CurrentKind, half.PhysicalOffset));
    }

    private void PutNumber(KeyValueBatch batch, ReadOnlySpan<byte> key, long number)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(value, number);
        batch.Put(family, key, value);
    }
}
