using GrayMQ.Broker.States;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// What each record of the log means for the transactions that have not ended, in memory and in the database. For one thread at a time.
/// Throws IOException where the database fails; what was shown can be shown again then.
/// </summary>
internal sealed class HalfTransactions
{
    // Beyond, the oldest go to the database at once, so many at a time.
    private const int MaxYoung = 65_536;
    private const int MovedAtOnce = 1024;

    private readonly TransactionOptions _options;
    private readonly HalfTopics _topics = new();
    private readonly YoungHalves _young = new();
    private readonly OldHalves _old;
    private readonly EndedHalves _ended;
    private long? _first;

    public HalfTransactions(StateStore states, TransactionOptions options)
    {
        _options = options;
        _old = new OldHalves(states.Values, states.Halves, _topics);
        _old.Load();
        _first = _old.FindFirst();
        _ended = new EndedHalves(_old);
        Owed = new OwedOperations(_old);
    }

    public HalfClaims Claims { get; } = new();

    public OwedOperations Owed { get; }

    public OldHalves Old => _old;

    public YoungHalves Young => _young;

    /// <summary>How many there are of each topic.</summary>
    public HalfTopics Topics => _topics;

    /// <summary>From where on the log has to be shown again to know what only memory knows.</summary>
    public long Bound => Math.Min(
        Math.Min(_ended.Bound, Owed.Bound), _young.TryPeek(out HalfMessage oldest) ? oldest.Root : long.MaxValue);

    public bool TryFind(long root, out HalfMessage half) => _young.TryFind(root, out half) || _old.TryFind(root, out half);

    /// <summary>To be called with every record first: where this database begins, if it did not before.</summary>
    public void BeginAt(long physicalOffset)
    {
        if (_first is null)
        {
            _old.PutFirst(physicalOffset);
            _first = physicalOffset;
        }
    }

    /// <summary>A record in the queue of half messages. Returns the transaction if it is its check, and its producers are to be asked.</summary>
    /// <param name="isNew">It was not shown before.</param>
    public HalfMessage? OnHalf(in StoredMessage message, bool isNew)
    {
        long root = HalfMessageReader.RootOf(in message);
        int checks = HalfMessageReader.FindChecks(in message) ?? 0;
        long now = message.StoreTimestampMs;
        if (root != message.PhysicalOffset)
        {
            return OnChecked(root, checks, in message, isNew);
        }

        var half = new HalfMessage(
            root,
            root,
            message.QueueOffset,
            now,
            now + Math.Min(HalfMessageReader.WaitMsOf(in message, _options), _options.ReservedMs),
            checks,
            _topics.Get(HalfMessageReader.TopicOf(in message)));
        if (!isNew && _old.TryFind(root, out _))
        {
            // Shown again after an unclean stop.
            return null;
        }

        if (_young.Follows(in half))
        {
            if (_young.Count >= MaxYoung)
            {
                MoveYoung(long.MaxValue, MovedAtOnce);
            }

            _young.Add(in half);
        }
        else
        {
            using KeyValueBatch batch = _old.NewBatch();
            _old.Add(batch, in half);
            _old.Write(batch);
        }

        half.Topic.Count++;
        return null;
    }

    private HalfMessage? OnChecked(long root, int checks, in StoredMessage message, bool isNew)
    {
        long now = message.StoreTimestampMs;
        bool isYoung = _young.TryFind(root, out HalfMessage half);
        bool isOld = !isYoung && _old.TryFind(root, out half);
        if (!isYoung && !isOld && root >= _first!.Value)
        {
            // It ended while it was being checked.
            Owed.Add(message.QueueOffset, message.PhysicalOffset);
            Claims.StopChecking(root);
            return null;
        }

        if (half.PhysicalOffset >= message.PhysicalOffset)
        {
            // Shown again after an unclean stop.
            return null;
        }

        long storedMs = isYoung || isOld ? half.StoredMs : now;
        HalfMessage renewed = new(
            root,
            message.PhysicalOffset,
            message.QueueOffset,
            storedMs,
            Math.Min(now + HalfMessageReader.WaitMsOf(in message, _options), storedMs + _options.ReservedMs),
            checks,
            _topics.Get(HalfMessageReader.TopicOf(in message)));
        using (KeyValueBatch batch = _old.NewBatch())
        {
            if (isOld)
            {
                _old.Replace(batch, in half, in renewed);
            }
            else
            {
                _old.Add(batch, in renewed);
            }

            if (isYoung || isOld)
            {
                Owed.Add(batch, half.QueueOffset);
            }

            _old.Write(batch);
        }

        if (isYoung)
        {
            _young.Remove(root);
        }
        else if (!isOld)
        {
            renewed.Topic.Count++;
        }

        Claims.StopChecking(root);
        return isNew && checks > 0 ? renewed : null;
    }

    /// <summary>A record in the operation queue: the transactions that it names have ended.</summary>
    public void OnOperation(in StoredMessage message)
    {
        if (!message.TryGetProperty(MessagePropertyUtf8.Tags, out ReadOnlySpan<byte> tag) || !tag.SequenceEqual(OperationWriter.EndedTag))
        {
            return;
        }

        long recordEnd = message.PhysicalOffset + message.TotalSize;
        long greatest = -1;
        var paid = new List<long>();
        var ended = new Dictionary<long, HalfMessage>();
        ReadOnlySpan<byte> body = message.Body;
        foreach (Range range in body.Split(OperationWriter.Separator))
        {
            if (!HalfMessageReader.TryParse(body[range], out long queueOffset))
            {
                continue;
            }

            greatest = Math.Max(greatest, queueOffset);
            if (Owed.Contains(queueOffset))
            {
                paid.Add(queueOffset);
            }
            else if (_young.TryFindByQueueOffset(queueOffset, out HalfMessage half) || _old.TryFindByQueueOffset(queueOffset, out half))
            {
                ended[half.Root] = half;
            }
        }

        if (greatest < 0)
        {
            return;
        }

        using KeyValueBatch batch = _old.NewBatch();
        _old.PutOperation(batch, message.QueueOffset, greatest);
        foreach (long queueOffset in paid)
        {
            Owed.Remove(batch, queueOffset);
        }

        foreach (HalfMessage half in ended.Values)
        {
            if (!_young.TryFind(half.Root, out _))
            {
                _ended.PutAside(batch, in half, recordEnd);
            }
        }

        _old.Write(batch);
        paid.ForEach(Owed.Remove);
        foreach (HalfMessage half in ended.Values)
        {
            if (_young.TryFind(half.Root, out _))
            {
                _young.Remove(half.Root);
                _ended.Add(in half, recordEnd);
            }

            Ended(half);
        }
    }

    /// <summary>A record that ends a transaction by naming its root, or, if it is RocketMQ's, the record of its last check.</summary>
    public void OnEnding(in StoredMessage message)
    {
        long named = message.PreparedTransactionOffset;
        long recordEnd = message.PhysicalOffset + message.TotalSize;
        if (_young.TryFind(named, out HalfMessage half))
        {
            _young.Remove(half.Root);
            _ended.Add(in half, recordEnd);

            // Not where the database has it: what was shown again would otherwise stay there for ever.
            Owed.Add(half.QueueOffset, half.Root);
            Ended(half);
        }
        else if (_old.TryFindByRecord(named, out half))
        {
            using KeyValueBatch batch = _old.NewBatch();
            Owed.Add(batch, half.QueueOffset);
            _ended.PutAside(batch, in half, recordEnd);
            _old.Write(batch);
            Ended(half);
        }
        else
        {
            Claims.StopEnding(named);
        }
    }

    /// <summary>Forgets transactions whose end no record tells. Throws IOException.</summary>
    public void Forget(List<HalfMessage> halves)
    {
        using KeyValueBatch batch = _old.NewBatch();
        foreach (HalfMessage half in halves)
        {
            _old.Remove(batch, in half);
        }

        _old.Write(batch);
        halves.ForEach(Ended);
    }

    /// <summary>Forgets what was kept of transactions in case that the disk loses their ends.</summary>
    /// <param name="durable">What it cannot lose any more.</param>
    public void ForgetEnded(long durable) => _ended.Forget(durable);

    /// <summary>
    /// At a start, before anything is appended: what the database knows of records that are not in the log any more is undone. A
    /// transaction waits again whose end is gone, or its last check; one that is gone itself is forgotten. Returns how many wait again.
    /// </summary>
    /// <param name="logEnd">Where the log ends.</param>
    /// <param name="nextQueueOffset">The queue offset that the next half message will have.</param>
    public int Recover(long logEnd, long nextQueueOffset)
    {
        using KeyValueBatch batch = _old.NewBatch();
        List<HalfMessage> waiting = _ended.TakeLost(batch, logEnd);
        waiting.RemoveAll(half => half.Root >= logEnd || TryFind(half.Root, out _));
        foreach (HalfMessage half in waiting)
        {
            _old.Add(batch, Rooted(in half, logEnd));
        }

        List<HalfMessage> gone = _old.All(logEnd, int.MaxValue);
        foreach (HalfMessage half in gone)
        {
            _old.Remove(batch, in half);
        }

        List<HalfMessage> uncheckedAgain = _old.CheckedFrom(logEnd);
        uncheckedAgain.RemoveAll(half => half.Root >= logEnd);
        foreach (HalfMessage half in uncheckedAgain)
        {
            _old.Replace(batch, in half, Rooted(in half, logEnd));
        }

        List<long> owed = Owed.Stored();
        if (waiting.Count > 0 || gone.Count > 0 || uncheckedAgain.Count > 0 || owed.Exists(queueOffset => queueOffset >= nextQueueOffset))
        {
            // Which of them are still owed nobody knows, and other messages will have some of these offsets.
            owed.ForEach(queueOffset => Owed.Remove(batch, queueOffset));
        }
        else
        {
            owed.Clear();
        }

        _old.Write(batch);
        owed.ForEach(Owed.Remove);
        waiting.ForEach(half => half.Topic.Count++);
        gone.ForEach(Ended);
        return waiting.Count + uncheckedAgain.Count;
    }

    // The record of its last check is gone, the one that was sent is not.
    private static HalfMessage Rooted(in HalfMessage half, long logEnd) =>
        half.PhysicalOffset < logEnd ? half : half with { PhysicalOffset = half.Root, QueueOffset = -1 };

    private void Ended(HalfMessage half)
    {
        half.Topic.Count--;
        Claims.StopEnding(half.Root);
        Claims.StopChecking(half.Root);
    }

    /// <summary>Moves the oldest to the database, as long as they were stored before that time.</summary>
    public void MoveYoung(long storedBeforeMs, int max = int.MaxValue)
    {
        while (max > 0 && _young.TryPeek(out HalfMessage oldest) && oldest.StoredMs < storedBeforeMs)
        {
            using KeyValueBatch batch = _old.NewBatch();
            var moved = new List<HalfMessage>();
            foreach (HalfMessage half in _young.All().TakeWhile(half => half.StoredMs < storedBeforeMs).Take(Math.Min(max, MovedAtOnce)))
            {
                _old.Add(batch, in half);
                moved.Add(half);
            }

            _old.Write(batch);
            foreach (HalfMessage half in moved)
            {
                _young.Remove(half.Root);
            }

            max -= moved.Count;
        }
    }
}
