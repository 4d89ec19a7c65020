using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
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
/// writing, heap.
/// </remarks>
public sealed class PopStore : IDisposable
{
    /// <summary>Acks of single messages that are written together at most.</summary>
    private const int MaxTogether = 256;

    private static readonly byte[] RevivalKey = "popRevival"u8.ToArray();

    [ThreadStatic]
    private static List<PopAck>? _ofThread;

    private readonly KeyValueStore _values;
    private readonly KeyFamily _pops;
    private readonly KeyFamily _offsets;
    private readonly KeyFamily _orders;
    private readonly KeyFamily _progress;
    private readonly ConcurrentDictionary<byte[], PoppedTopic> _topics = new(PopTopicComparer.Instance);
    private readonly ConcurrentDictionary<byte[], PoppedTopic>.AlternateLookup<ReadOnlySpan<byte>> _topicsByKey;
    private readonly DueHeap _due = new();

    // Changes of one batch are put together and written by one thread at a time: the database would make them wait as well, at a
    // higher price. What acks of single messages have to say waits here for whoever writes.
    private readonly Lock _writing = new();
    private readonly ConcurrentQueue<PopAck> _waiting = new();
    private readonly KeyValueBatch _batch;

    private long _inFlight;
    private bool _unsynced;

    /// <param name="values">Has to be opened with <see cref="Families"/> and the family "progress".</param>
    /// <exception cref="InvalidDataException">What is in the database was not written by this store.</exception>
    public PopStore(KeyValueStore values)
    {
        _values = values;
        _batch = values.NewBatch();
        _pops = values.GetFamily("pops");
        _offsets = values.GetFamily("popOffsets");
        _orders = values.GetFamily("popOrders");
        _progress = values.GetFamily("progress");
        _topicsByKey = _topics.GetAlternateLookup<ReadOnlySpan<byte>>();
        Load();
    }

    /// <summary>The families of the database that are this store's own.</summary>
    public static IReadOnlyList<string> Families { get; } = ["pops", "popOffsets", "popOrders"];

    /// <summary>Called when something is due before all that was there; on any thread, with a queue's gate held.</summary>
    public Action<long>? EarlierDue { get; set; }

    /// <summary>Messages handed out and not acked, all groups together.</summary>
    public long InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Batches in hand, and orderly queues that are locked.</summary>
    public int DueCount => _due.Count;

    /// <summary>When the earliest is due, ms since 1970; <see cref="long.MaxValue"/> for never.</summary>
    public long EarliestDueMs => _due.EarliestMs;

    public IEnumerable<PoppedTopic> Topics => _topics.Values;

    /// <summary>The log's offset from which on revivals may have been appended that their check points do not know of; null for none.</summary>
    public long? RevivalOffset { get; private set; }

    /// <summary>The topic as the group pops it, made when it is not there.</summary>
    /// <exception cref="ArgumentException">A name is empty, longer than <see cref="PopCodec.MaxNameBytes"/>, or holds a NUL.</exception>
    [SkipLocalsInit]
    public PoppedTopic GetTopic(ReadOnlySpan<byte> group, ReadOnlySpan<byte> topic)
    {
        Span<byte> key = stackalloc byte[PopCodec.MaxTopicKeyBytes];
        int length = PopCodec.WriteTopicKey(group, topic, key);
        if (length == 0)
        {
            throw new ArgumentException($"a group and a topic have names of 1 to {PopCodec.MaxNameBytes} bytes without a NUL");
        }

        if (_topicsByKey.TryGetValue(key[..length], out PoppedTopic? found))
        {
            return found;
        }

        byte[] made = key[..length].ToArray();
        return _topics.GetOrAdd(made, new PoppedTopic(Encoding.UTF8.GetString(group), Encoding.UTF8.GetString(topic), made));
    }

    /// <summary>The topic if the group has popped it.</summary>
    [SkipLocalsInit]
    public PoppedTopic? FindTopic(ReadOnlySpan<byte> group, ReadOnlySpan<byte> topic)
    {
        Span<byte> key = stackalloc byte[PopCodec.MaxTopicKeyBytes];
        int length = PopCodec.WriteTopicKey(group, topic, key);
        return length > 0 && _topicsByKey.TryGetValue(key[..length], out PoppedTopic? found) ? found : null;
    }

    /// <inheritdoc cref="FindTopic(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public PoppedTopic? FindTopic(string group, string topic) =>
        FindTopic(Encoding.UTF8.GetBytes(group), Encoding.UTF8.GetBytes(topic));

    /// <summary>
    /// Hands messages out: remembers them until they are acked, and that the queue goes on at <paramref name="nextOffset"/>. The gate
    /// is held. False when a batch with this id is in hand already; nothing has happened then.
    /// </summary>
    /// <param name="offsets">Queue offsets, ascending, not below the id's, at most <see cref="PopCheckPoint.MaxMessages"/>.</param>
    [SkipLocalsInit]
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
        long due = DueAt(id.PopTimeMs, invisibleMs);
        using (Change change = Begin())
        {
            Put(checkPoint, checkPoint.Unacked, due, putOff: false);
            PutOffset(queue, nextOffset);
            change.Write();
        }

        queue.NextOffset = nextOffset;
        Add(checkPoint, due);
        return true;
    }

    /// <summary>
    /// Hands messages out in order, in place of the batch that the queue was locked with before. The gate is held. The queue's next
    /// offset stays where the group's first unacked message is.
    /// </summary>
    public OrderedBatch TakeOrdered(
        PopQueue queue, ReadOnlySpan<byte> attemptId, long popTimeMs, ReadOnlySpan<long> offsets, long invisibleMs)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)offsets.Length - 1, (uint)PopCheckPoint.MaxMessages - 1, nameof(offsets));
        OrderedBatch? before = queue.Ordered;
        bool sameAttempt = before is not null && !attemptId.IsEmpty && attemptId.SequenceEqual(before.AttemptId);
        long due = DueAt(popTimeMs, invisibleMs);
        var deliveries = new int[offsets.Length];
        var visible = new long[offsets.Length];
        for (int i = 0; i < offsets.Length; i++)
        {
            deliveries[i] = before?.DeliveriesOf(offsets[i], sameAttempt) ?? 0;
            visible[i] = due;
        }

        var ordered = new OrderedBatch(
            queue,
            attemptId.Length > PopCodec.MaxAttemptBytes ? [] : attemptId.ToArray(),
            popTimeMs,
            invisibleMs,
            offsets.ToArray(),
            visible,
            deliveries,
            PopCheckPoint.AllOf(offsets.Length),
            before?.AckedFrom(offsets[0]) ?? []);
        using (Change change = Begin())
        {
            _batch.Put(_orders, queue.Key, PopCodec.Write(ordered));
            PutOffset(queue, offsets[0]);
            change.Write();
        }

        Replace(queue, ordered);
        queue.NextOffset = offsets[0];
        return ordered;
    }

    /// <summary>Lets the queue go on elsewhere. The gate is held.</summary>
    /// <param name="isReset">
    /// Whether an administrator wants that, which has to survive; what a pop merely skips is skipped again after a crash.
    /// </param>
    public void MoveTo(PopQueue queue, long offset, bool isReset)
    {
        if (isReset)
        {
            using (Change change = Begin())
            {
                PutOffset(queue, offset);
                _batch.Delete(_orders, queue.Key);
                change.Write();
            }

            Replace(queue, null);
        }

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
    /// written together.
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
            Shrink(checkPoint, ack.Bit);
        }

        _waiting.Enqueue(ack);
        WriteWaiting();
        return true;
    }

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
    /// Acks a message that was handed out in order. Takes the gate.
    /// </summary>
    /// <returns>Where the group stands now; null when the batch in hand is not this one or does not hold the message unacked.</returns>
    public long? AckOrdered(PopQueue queue, long popTimeMs, long queueOffset)
    {
        lock (queue.Gate)
        {
            if (FindOrdered(queue, popTimeMs, queueOffset, out int index) is not { } ordered)
            {
                return null;
            }

            uint before = ordered.Unacked;
            ordered.Unacked &= ~(1u << index);
            long committed = ordered.CommittedOffset;
            try
            {
                using Change change = Begin();
                PutOffset(queue, committed);
                if (ordered.IsOver)
                {
                    _batch.Delete(_orders, queue.Key);
                }
                else
                {
                    _batch.Put(_orders, queue.Key, PopCodec.Write(ordered));
                }

                change.Write();
            }
            catch
            {
                ordered.Unacked = before;
                throw;
            }

            queue.NextOffset = committed;
            queue.InFlight--;
            Interlocked.Decrement(ref _inFlight);
            if (ordered.IsOver)
            {
                Replace(queue, null);
            }
            else if (ordered.Unacked == 0)
            {
                // Holds nothing up any more, but tells what the next batches have to pass over.
                _due.Remove(ordered);
            }
            else
            {
                Schedule(ordered, ordered.FreeMs);
            }

            return committed;
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
            long due = DueAt(changed.PopTimeMs, invisibleMs);
            using (Change change = Begin())
            {
                Put(moved, 1, due, putOff: false);
                PutRest(checkPoint, checkPoint.Unacked & ~(1u << index));
                change.Write();
                Shrink(checkPoint, 1u << index);
            }

            Add(moved, due);
            return true;
        }
    }

    /// <summary>Gives a message that was handed out in order a new time. Takes the gate.</summary>
    public bool TryChangeOrdered(PopQueue queue, long popTimeMs, long queueOffset, long visibleMs)
    {
        lock (queue.Gate)
        {
            if (FindOrdered(queue, popTimeMs, queueOffset, out int index) is not { } ordered)
            {
                return false;
            }

            long before = ordered.VisibleMs[index];
            ordered.VisibleMs[index] = visibleMs;
            try
            {
                using Change change = Begin();
                _batch.Put(_orders, queue.Key, PopCodec.Write(ordered));
                change.Write();
            }
            catch
            {
                ordered.VisibleMs[index] = before;
                throw;
            }

            Schedule(ordered, ordered.FreeMs);
            return true;
        }
    }

    /// <summary>All messages in hand of a queue, as they are now. Takes the gate.</summary>
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

    /// <summary>Adds what is due to <paramref name="due"/>; it stays until it is dealt with.</summary>
    public void CopyDue(long nowMs, int most, List<PopDue> due) => _due.CopyDue(nowMs, most, due);

    /// <summary>An orderly lock is over: it is due no more, what it tells of its messages is kept. Takes the gate.</summary>
    public bool TryRelease(OrderedBatch ordered, long nowMs)
    {
        lock (ordered.Queue.Gate)
        {
            if (!ReferenceEquals(ordered.Queue.Ordered, ordered) || ordered.DueMs > nowMs || ordered.HeapIndex < 0)
            {
                return false;
            }

            _due.Remove(ordered);
            return true;
        }
    }

    /// <summary>
    /// Says durably, also for the end of the machine, that messages will be appended again from <paramref name="logOffset"/> on, of
    /// which the check points do not know until <see cref="EndRevival"/>.
    /// </summary>
    public void BeginRevival(long logOffset)
    {
        if (RevivalOffset is not null)
        {
            return;
        }

        Span<byte> value = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(value, logOffset);
        _values.Put(_progress, RevivalKey, value, sync: true);
        RevivalOffset = logOffset;
    }

    /// <summary>Takes a batch that is due out of the reach of acks; false when it is not due any more. Takes the gate.</summary>
    public static bool TryBegin(PopCheckPoint checkPoint, long nowMs)
    {
        lock (checkPoint.Queue.Gate)
        {
            if (checkPoint.HeapIndex < 0 || checkPoint.IsReviving || checkPoint.DueMs > nowMs || checkPoint.Queue.IsDropped)
            {
                return false;
            }

            checkPoint.IsReviving = true;
            return true;
        }
    }

    /// <summary>
    /// What <see cref="TryBegin"/> took and became of it: in one batch, and with it that nothing is being revived. Takes the gates.
    /// To be called again with the same when it throws, before anything else is revived.
    /// </summary>
    public void EndRevival(IReadOnlyList<PopRevival> revivals)
    {
        var gone = new int[revivals.Count];
        using (Change change = Begin())
        {
            foreach (PopRevival revival in revivals)
            {
                uint rest = RestOf(revival);
                if (rest == 0)
                {
                    PutRest(revival.CheckPoint, 0);
                }
                else
                {
                    Put(revival.CheckPoint, rest, revival.NextDueMs, revival.PutOff);
                }
            }

            if (RevivalOffset is not null)
            {
                _batch.Delete(_progress, RevivalKey);
            }

            change.Write();

            // Before anybody writes again: an ack from before may still wait to be, and writes what is left.
            for (int i = 0; i < gone.Length; i++)
            {
                PopCheckPoint checkPoint = revivals[i].CheckPoint;
                int before = checkPoint.UnackedCount;
                checkPoint.Unacked = RestOf(revivals[i]);
                gone[i] = before - checkPoint.UnackedCount;
            }
        }

        RevivalOffset = null;
        for (int i = 0; i < gone.Length; i++)
        {
            PopRevival revival = revivals[i];
            PopCheckPoint checkPoint = revival.CheckPoint;
            lock (checkPoint.Queue.Gate)
            {
                checkPoint.IsReviving = false;
                Account(checkPoint, gone[i]);
                if (checkPoint.Unacked != 0)
                {
                    checkPoint.IsPutOff = revival.PutOff;
                    Schedule(checkPoint, revival.NextDueMs);
                }
            }
        }

        static uint RestOf(in PopRevival revival) =>
            revival.CheckPoint.Queue.IsDropped ? 0 : revival.CheckPoint.Unacked & ~revival.Done;
    }

    /// <summary>Forgets all that groups have in hand of a topic, also on the disk.</summary>
    public void RemoveTopic(string topic) => Remove(popped => popped.Topic == topic);

    /// <summary>Forgets all that a group has in hand, also on the disk.</summary>
    public void RemoveGroup(string group) => Remove(popped => popped.Group == group);

    /// <summary>Brings what was written to the disk, if something was.</summary>
    public void Sync()
    {
        if (Volatile.Read(ref _unsynced))
        {
            Volatile.Write(ref _unsynced, false);
            _values.Sync();
        }
    }

    /// <summary>Gives back what is this store's own; the database is the caller's.</summary>
    public void Dispose() => _batch.Dispose();

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

    private static OrderedBatch? FindOrdered(PopQueue queue, long popTimeMs, long queueOffset, out int index)
    {
        index = -1;
        if (queue.Ordered is not { } ordered || ordered.PopTimeMs != popTimeMs)
        {
            return null;
        }

        index = ordered.Offsets.AsSpan().IndexOf(queueOffset);
        return index >= 0 && ordered.IsUnacked(index) ? ordered : null;
    }

    // A time that no calendar has is never.
    private static long DueAt(long nowMs, long invisibleMs) => invisibleMs > long.MaxValue - nowMs ? long.MaxValue : nowMs + invisibleMs;

    // Under the gate.
    private int Forget(PopCheckPoint checkPoint, uint acked)
    {
        using Change change = Begin();
        PutRest(checkPoint, checkPoint.Unacked & ~acked);
        change.Write();
        return Shrink(checkPoint, acked);
    }

    private void Add(PopCheckPoint checkPoint, long dueMs)
    {
        checkPoint.Queue.Add(checkPoint);
        Interlocked.Add(ref _inFlight, checkPoint.UnackedCount);
        if (_due.Add(checkPoint, dueMs))
        {
            EarlierDue?.Invoke(dueMs);
        }
    }

    private int Shrink(PopCheckPoint checkPoint, uint acked)
    {
        int before = checkPoint.UnackedCount;
        checkPoint.Unacked &= ~acked;
        int gone = before - checkPoint.UnackedCount;
        Account(checkPoint, gone);
        return gone;
    }

    // Under the gate.
    private void Account(PopCheckPoint checkPoint, int gone)
    {
        checkPoint.Queue.InFlight -= gone;
        Interlocked.Add(ref _inFlight, -gone);
        if (checkPoint.Unacked == 0)
        {
            checkPoint.Queue.Remove(checkPoint);
            _due.Remove(checkPoint);
        }
    }

    private void Schedule(PopDue item, long dueMs)
    {
        if (_due.Move(item, dueMs))
        {
            EarlierDue?.Invoke(dueMs);
        }
    }

    private void Replace(PopQueue queue, OrderedBatch? ordered)
    {
        if (queue.Ordered is { } before)
        {
            _due.Remove(before);
            queue.InFlight -= before.UnackedCount;
            Interlocked.Add(ref _inFlight, -before.UnackedCount);
        }

        queue.Ordered = ordered;
        if (ordered is not null)
        {
            queue.InFlight += ordered.UnackedCount;
            Interlocked.Add(ref _inFlight, ordered.UnackedCount);
            Schedule(ordered, ordered.FreeMs);
        }
    }

    private void Remove(Func<PoppedTopic, bool> match)
    {
        foreach ((byte[] key, PoppedTopic topic) in _topics)
        {
            if (!match(topic) || !_topics.TryRemove(KeyValuePair.Create(key, topic)))
            {
                continue;
            }

            foreach (PopQueue queue in topic.Queues)
            {
                lock (queue.Gate)
                {
                    queue.IsDropped = true;
                    // Those that are being revived end with their round.
                    foreach (PopCheckPoint checkPoint in queue.CheckPoints.Where(item => !item.IsReviving).ToArray())
                    {
                        Shrink(checkPoint, checkPoint.Unacked);
                    }

                    Replace(queue, null);
                }
            }

            Delete(key);
        }
    }

    private void Delete(byte[] topicKey)
    {
        Span<byte> end = stackalloc byte[PopCodec.MaxTopicKeyBytes];
        end = end[..KeyWriter.PrefixEnd(topicKey, end)];
        using Change change = Begin();
        _batch.DeleteRange(_pops, topicKey, end);
        _batch.DeleteRange(_offsets, topicKey, end);
        _batch.DeleteRange(_orders, topicKey, end);
        change.Write();
    }

    [SkipLocalsInit]
    private void Put(PopCheckPoint checkPoint, uint unacked, long dueMs, bool putOff)
    {
        Span<byte> key = stackalloc byte[PopCodec.MaxKeyBytes];
        Span<byte> value = stackalloc byte[PopCodec.MaxCheckPointBytes];
        _batch.Put(
            _pops,
            PopCodec.WriteKey(checkPoint.Queue, checkPoint.Id, key),
            PopCodec.Write(checkPoint, unacked, dueMs, putOff, value));
    }

    [SkipLocalsInit]
    private void PutRest(PopCheckPoint checkPoint, uint rest)
    {
        if (rest != 0)
        {
            Put(checkPoint, rest, checkPoint.DueMs, checkPoint.IsPutOff);
            return;
        }

        Span<byte> key = stackalloc byte[PopCodec.MaxKeyBytes];
        _batch.Delete(_pops, PopCodec.WriteKey(checkPoint.Queue, checkPoint.Id, key));
    }

    private void PutOffset(PopQueue queue, long offset)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(value, offset);
        _batch.Put(_offsets, queue.Key, value);
    }

    /// <summary>Begins a change of the database: the batch is this thread's until it is disposed.</summary>
    private Change Begin()
    {
        _writing.Enter();
        _batch.Clear();
        return new Change(this);
    }

    // Whoever writes takes along what is waiting; who leaves looks once more, so that nothing is left behind.
    private void WriteWaiting()
    {
        while (!_waiting.IsEmpty && _writing.TryEnter())
        {
            List<PopAck> acks = _ofThread ??= [];
            KeyValueStoreException? failure = null;
            try
            {
                _batch.Clear();
                while (acks.Count < MaxTogether && _waiting.TryDequeue(out PopAck? ack))
                {
                    // What is left of the batch now, whoever has acked of it: later ones write again.
                    PutRest(ack.CheckPoint!, ack.CheckPoint!.Unacked);
                    acks.Add(ack);
                }

                if (acks.Count > 0)
                {
                    _values.Write(_batch);
                    Volatile.Write(ref _unsynced, true);
                }
            }
            catch (KeyValueStoreException e)
            {
                failure = e;
            }
            finally
            {
                _writing.Exit();
            }

            Complete(acks, failure);
        }
    }

    private void Complete(List<PopAck> acks, KeyValueStoreException? failure)
    {
        // Completing may lead here again.
        _ofThread = null;
        foreach (PopAck ack in acks)
        {
            PopCheckPoint checkPoint = ack.CheckPoint!;
            if (failure is not null)
            {
                ThreadPool.UnsafeQueueUserWorkItem(_ => TakeBack(checkPoint, ack.Bit), null);
            }

            ack.CheckPoint = null;
            ack.Completed(failure);
        }

        acks.Clear();
        _ofThread = acks;
    }

    // Elsewhere, because a gate may be held here.
    private void TakeBack(PopCheckPoint checkPoint, uint bit)
    {
        lock (checkPoint.Queue.Gate)
        {
            if (checkPoint.Queue.IsDropped)
            {
                return;
            }

            bool wasOver = checkPoint.Unacked == 0;
            checkPoint.Unacked |= bit;
            if (wasOver)
            {
                Add(checkPoint, checkPoint.DueMs);
            }
            else
            {
                checkPoint.Queue.InFlight++;
                Interlocked.Increment(ref _inFlight);
            }
        }
    }

    /// <summary>One change of the database: what is put into the batch, and written once.</summary>
    private readonly ref struct Change(PopStore store)
    {
        public void Write()
        {
            store._values.Write(store._batch);
            Volatile.Write(ref store._unsynced, true);
        }

        public void Dispose()
        {
            store._writing.Exit();
            store.WriteWaiting();
        }
    }

    private void Load()
    {
        foreach (KeyValueEntry entry in _values.Scan(_offsets))
        {
            PopQueue queue = QueueOf(entry.Key, out _);
            queue.NextOffset = Int64(entry.Value);
            queue.ToldOffset = queue.NextOffset;
        }

        foreach (KeyValueEntry entry in _values.Scan(_pops))
        {
            PopQueue queue = QueueOf(entry.Key, out CheckPointId id);
            PopCheckPoint checkPoint = PopCodec.Read(queue, id, entry.Value, out long dueMs);
            if (checkPoint.Unacked != 0)
            {
                Add(checkPoint, dueMs);
            }
        }

        foreach (KeyValueEntry entry in _values.Scan(_orders))
        {
            PopQueue queue = QueueOf(entry.Key, out _);
            Replace(queue, PopCodec.Read(queue, entry.Value));
        }

        RevivalOffset = _values.Get(_progress, RevivalKey) is { } revival ? Int64(revival) : null;
    }

    private PopQueue QueueOf(ReadOnlySpan<byte> key, out CheckPointId id)
    {
        PopCodec.ReadKey(key, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> topic, out int queueId, out id);
        return (uint)queueId < PoppedTopic.MaxQueues
            ? GetTopic(group, topic).GetQueue(queueId)
            : throw new InvalidDataException($"a check point is of queue {queueId}, which cannot be");
    }

    private static long Int64(ReadOnlySpan<byte> value) => value.Length == sizeof(long)
        ? BinaryPrimitives.ReadInt64LittleEndian(value)
        : throw new InvalidDataException($"a pop offset has {value.Length} bytes");
}
