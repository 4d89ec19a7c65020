using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Pops;

/// <summary>
/// What the groups that pop have in hand: check points by queue and by due time in memory, and the same in RocksDB, which is only
/// their durable form: it is written with every change and read at the start. A pop and the offset that it moves its queue to are one
/// batch, so that whatever ends the process, a message is in a check point or still to be popped, and an acked one is in neither.
/// </summary>
/// <remarks>
/// Changes are in the database before they are in memory: one that cannot be written (<see cref="KeyValueStoreException"/>) has not
/// happened; but for single acks, which are taken back then. May be used from any thread; locks are taken in the order queue,
/// writing, heap. The rooms behind this door: <see cref="PoppedTopics"/> the names, <see cref="PopLedger"/> the memory,
/// <see cref="PopDatabase"/> the durable form, <see cref="PopAckWriter"/> single acks written together.
/// </remarks>
public sealed class PopStore : IDisposable
{
    private readonly PopDatabase _database;
    private readonly PopLedger _ledger = new();
    private readonly PopAckWriter _acks;

    /// <param name="values">Has to be opened with <see cref="Families"/> and the family "progress".</param>
    /// <exception cref="InvalidDataException">What is in the database was not written by this store.</exception>
    public PopStore(KeyValueStore values)
    {
        _database = new PopDatabase(values);
        _acks = new PopAckWriter(_database, _ledger);
        Ordered = new OrderedPops(_database, _ledger);
        Revivals = new PopRevivals(_database, _ledger);
        _database.Load(Topics, _ledger);
    }

    /// <summary>The families of the database that are this store's own.</summary>
    public static IReadOnlyList<string> Families => PopDatabase.Families;

    /// <summary>What is popped, by group and topic.</summary>
    public PoppedTopics Topics { get; } = new();

    /// <summary>What is handed out in order.</summary>
    public OrderedPops Ordered { get; }

    /// <summary>What is due.</summary>
    public PopRevivals Revivals { get; }

    /// <summary>
    /// Called when a queue has fewer messages in hand than whom <see cref="PopQueue.Refuse"/> named was refused for; by any thread,
    /// with the queue's gate held.
    /// </summary>
    public Action<PopQueue, object>? Freed
    {
        get => _ledger.Freed;
        set => _ledger.Freed = value;
    }

    /// <summary>Messages handed out and not acked, all groups together.</summary>
    public long InFlight => _ledger.InFlight;

    /// <summary>
    /// Hands messages out: remembers them until they are acked, and that the queue goes on at <paramref name="nextOffset"/>. The gate
    /// is held. False when a batch with this id is in hand already; nothing has happened then.
    /// </summary>
    /// <param name="offsets">Queue offsets, ascending, not below the id's, at most <see cref="PopCheckPoint.MaxMessages"/>.</param>
    public bool TryTake(PopQueue queue, CheckPointId id, ReadOnlySpan<long> offsets, long nextOffset, long invisibleMs)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)offsets.Length - 1, (uint)PopCheckPoint.MaxMessages - 1, nameof(offsets));
        if (queue.Find(id) is not null || queue.LastEnded == id)
        {
            return false;
        }

        var checkPoint = new PopCheckPoint(
            queue,
            id,
            offsets.Length,
            PopCheckPoint.DistancesOf(id.StartOffset, offsets),
            PopCheckPoint.AllOf(offsets.Length),
            invisibleMs);
        long due = PopDue.After(id.PopTimeMs, invisibleMs);
        using (PopChange change = _database.Begin())
        {
            change.Put(checkPoint, checkPoint.Unacked, due, putOff: false);
            change.PutOffset(queue, nextOffset);
            change.Write();
        }

        queue.NextOffset = nextOffset;
        _ledger.Add(checkPoint, due);
        return true;
    }

    /// <summary>
    /// Lets the queue go on behind what nobody wants. The gate is held. That is in memory only: what a pop skips is skipped again after a
    /// crash.
    /// </summary>
    public static void Skip(PopQueue queue, long offset) => queue.NextOffset = offset;

    /// <summary>
    /// Lets the queue go on where somebody else has moved the group. The gate is held. When that is lower it has to survive: at the next
    /// start the higher one of two offsets would win.
    /// </summary>
    public void Follow(PopQueue queue, long offset)
    {
        if (queue.IsDropped)
        {
            return;
        }

        if (offset < queue.NextOffset)
        {
            using PopChange change = _database.Begin();
            change.PutOffset(queue, offset);
            change.Write();
        }

        queue.NextOffset = offset;
        queue.ToldOffset = offset;
    }

    /// <summary>As <see cref="Follow"/>, always durably, and forgets what the queue is locked with: an administrator wants all from there on.</summary>
    public void Reset(PopQueue queue, long offset)
    {
        if (queue.IsDropped)
        {
            return;
        }

        using (PopChange change = _database.Begin())
        {
            change.PutOffset(queue, offset);
            change.PutOrdered(queue, null);
            change.Write();
        }

        _ledger.Replace(queue, null);
        queue.NextOffset = offset;
    }

    /// <summary>Acks a message. False when the batch does not hold it, or does no more: nothing has happened. Takes the gate.</summary>
    public bool Ack(PopQueue queue, CheckPointId id, long queueOffset)
    {
        lock (queue.Gate)
        {
            return TryFind(queue, id, queueOffset, out int index) is { } checkPoint && Forget(checkPoint, 1u << index) > 0;
        }
    }

    /// <summary>
    /// As <see cref="Ack(PopQueue, CheckPointId, long)"/>, but true says only that the message is not in hand any more; that this is in the
    /// database, or is not, <paramref name="ack"/> is told afterwards, maybe by another thread: acks that come at the same time are
    /// written together, by the next <see cref="WriteAcks"/>.
    /// </summary>
    public bool TryAck(PopQueue queue, CheckPointId id, long queueOffset, PopAck ack)
    {
        lock (queue.Gate)
        {
            if (TryFind(queue, id, queueOffset, out int index) is not { } checkPoint)
            {
                return false;
            }

            ack.CheckPoint = checkPoint;
            ack.Bit = 1u << index;
            _ledger.Shrink(checkPoint, ack.Bit);
        }

        _acks.Add(ack);
        return true;
    }

    /// <summary>Writes the acks of single messages that wait to be written. No gate need be held.</summary>
    public void WriteAcks() => _acks.WriteWaiting();

    /// <summary>Acks messages of a batch, in one change. Takes the gate.</summary>
    /// <param name="bits">Bit n, from the lowest of the first byte on, stands for the queue offset n behind the id's.</param>
    /// <returns>How many of them were in hand.</returns>
    public int Ack(PopQueue queue, CheckPointId id, ReadOnlySpan<byte> bits)
    {
        lock (queue.Gate)
        {
            if (queue.Find(id) is not { IsReviving: false } checkPoint)
            {
                return 0;
            }

            uint acked = 0;
            for (int i = 0; i < checkPoint.Count; i++)
            {
                long distance = checkPoint.OffsetAt(i) - id.StartOffset;
                if (distance / 8 < bits.Length && (bits[(int)(distance / 8)] & (1 << (int)(distance % 8))) != 0)
                {
                    acked |= 1u << i;
                }
            }

            acked &= checkPoint.Unacked;
            return acked == 0 ? 0 : Forget(checkPoint, acked);
        }
    }

    /// <summary>
    /// Gives one message a new time, in a batch of its own. Takes the gate. False when the batch does not hold it, or does no more.
    /// </summary>
    /// <param name="changed">What the message's new handle names.</param>
    public bool TryChange(
        PopQueue queue, CheckPointId id, long queueOffset, long nowMs, long invisibleMs, out CheckPointId changed)
    {
        lock (queue.Gate)
        {
            changed = default;
            if (TryFind(queue, id, queueOffset, out int index) is not { } checkPoint)
            {
                return false;
            }

            changed = new CheckPointId(queueOffset, nowMs);
            while (queue.Find(changed) is not null || changed == id)
            {
                changed = changed with { PopTimeMs = changed.PopTimeMs + 1 };
            }

            var moved = new PopCheckPoint(queue, changed, 1, null, 1, invisibleMs);
            long due = PopDue.After(changed.PopTimeMs, invisibleMs);
            using (PopChange change = _database.Begin())
            {
                change.Put(moved, 1, due, putOff: false);
                change.PutRest(checkPoint, checkPoint.Unacked & ~(1u << index));
                change.Write();

                // In this order, so that nobody takes the queue for freed.
                _ledger.Add(moved, due);
                _ledger.Shrink(checkPoint, 1u << index);
            }

            return true;
        }
    }

    /// <summary>
    /// Has a message, and with it all of its batch that is in hand, wait until a later time at least; the handles that name the batch go on to
    /// count. Takes the gate. False when the batch does not hold the message, or does no more.
    /// </summary>
    /// <param name="dueMs">Ms since 1970; an earlier time than the batch's changes nothing.</param>
    public bool TryProlong(PopQueue queue, CheckPointId id, long queueOffset, long dueMs)
    {
        lock (queue.Gate)
        {
            if (TryFind(queue, id, queueOffset, out _) is not { } checkPoint)
            {
                return false;
            }

            if (dueMs > checkPoint.DueMs)
            {
                using PopChange change = _database.Begin();
                change.Put(checkPoint, checkPoint.Unacked, dueMs, checkPoint.IsPutOff);
                change.Write();

                // Before others write what is left of the batch.
                _ledger.Schedule(checkPoint, dueMs);
            }

            return true;
        }
    }

    /// <summary>All messages in hand of a queue, but for those in order, as they are now. Takes the gate.</summary>
    public static IReadOnlyList<(CheckPointId Id, long QueueOffset)> Unacked(PopQueue queue)
    {
        lock (queue.Gate)
        {
            var unacked = new List<(CheckPointId, long)>();
            foreach (PopCheckPoint checkPoint in queue.CheckPoints)
            {
                for (int i = 0; i < checkPoint.Count; i++)
                {
                    if (checkPoint.IsUnacked(i))
                    {
                        unacked.Add((checkPoint.Id, checkPoint.OffsetAt(i)));
                    }
                }
            }

            return unacked;
        }
    }

    /// <summary>Forgets all that groups have in hand of a topic, also on the disk.</summary>
    public void RemoveTopic(string topic) => Remove(popped => popped.Topic == topic);

    /// <summary>Forgets all that a group has in hand, also on the disk.</summary>
    public void RemoveGroup(string group) => Remove(popped => popped.Group == group);

    /// <summary>Forgets all that a group has in hand of a topic, also on the disk.</summary>
    public void Remove(PoppedTopic topic)
    {
        // In this order: nobody writes to it any more, it is gone from the disk, it can be made anew.
        foreach (PopQueue queue in topic.Drop())
        {
            lock (queue.Gate)
            {
                queue.IsDropped = true;

                // Those that are being revived end with their round.
                foreach (PopCheckPoint checkPoint in queue.CheckPoints.Where(item => !item.IsReviving).ToArray())
                {
                    _ledger.Shrink(checkPoint, checkPoint.Unacked);
                }

                _ledger.Replace(queue, null);
            }
        }

        try
        {
            using PopChange change = _database.Begin();
            change.Delete(topic);
            change.Write();
        }
        finally
        {
            Topics.Remove(topic);
        }
    }

    /// <summary>Brings what was written to the disk, if something was.</summary>
    public void Sync() => _database.Sync();

    /// <summary>Gives back what is this store's own; the database is the caller's.</summary>
    public void Dispose() => _database.Dispose();

    private static PopCheckPoint? TryFind(PopQueue queue, CheckPointId id, long queueOffset, out int index)
    {
        index = -1;
        if (queue.Find(id) is not { IsReviving: false } checkPoint)
        {
            return null;
        }

        index = checkPoint.IndexOf(queueOffset);
        return index >= 0 && checkPoint.IsUnacked(index) ? checkPoint : null;
    }

    // Under the gate.
    private int Forget(PopCheckPoint checkPoint, uint acked)
    {
        using PopChange change = _database.Begin();
        change.PutRest(checkPoint, checkPoint.Unacked & ~acked);
        change.Write();
        return _ledger.Shrink(checkPoint, acked);
    }

    private void Remove(Func<PoppedTopic, bool> match)
    {
        foreach (PoppedTopic topic in Topics.All.Where(match))
        {
            Remove(topic);
        }
    }
}
