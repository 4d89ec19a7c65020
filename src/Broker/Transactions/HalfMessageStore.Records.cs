using System.Buffers.Binary;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Transactions;

/// <summary>What each record means; all under the lock.</summary>
internal sealed partial class HalfMessageStore
{
    // Returns the transaction if this record is its check.
    private HalfMessage? OnHalf(in StoredMessage message)
    {
        long root = HalfMessageReader.RootOf(in message);
        int checks = HalfMessageReader.FindChecks(in message) ?? 0;
        long now = message.StoreTimestampMs;
        if (root != message.PhysicalOffset)
        {
            return OnChecked(root, checks, in message);
        }

        var half = new HalfMessage(
            root,
            root,
            message.QueueOffset,
            now,
            now + Math.Min(HalfMessageReader.WaitMsOf(in message, _options), _options.ReservedMs),
            checks,
            _topics.Get(HalfMessageReader.TopicOf(in message)));
        if (!IsLive && _old.TryFind(root, out _))
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

    private HalfMessage? OnChecked(long root, int checks, in StoredMessage message)
    {
        long now = message.StoreTimestampMs;
        bool isYoung = _young.TryFind(root, out HalfMessage half);
        bool isOld = !isYoung && _old.TryFind(root, out half);
        if (!isYoung && !isOld && root >= _first!.Value)
        {
            // It ended while it was being checked.
            _owed.TryAdd(message.QueueOffset, message.PhysicalOffset);
            _checking.Remove(root);
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
                PutOwed(batch, in half);
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

        _checking.Remove(root);
        return IsLive && checks > 0 ? renewed : null;
    }

    private void OnOperation(in StoredMessage message)
    {
        if (!message.TryGetProperty(MessagePropertyUtf8.Tags, out ReadOnlySpan<byte> tag) || !tag.SequenceEqual(OperationWriter.EndedTag))
        {
            return;
        }

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
            if (_owed.ContainsKey(queueOffset))
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
            if (_owed[queueOffset] == InDatabase)
            {
                _old.RemoveOwed(batch, queueOffset);
            }
        }

        foreach (HalfMessage half in ended.Values)
        {
            if (!_young.TryFind(half.Root, out _))
            {
                _old.Remove(batch, in half);
            }
        }

        _old.Write(batch);
        paid.ForEach(queueOffset => _owed.Remove(queueOffset));
        foreach (HalfMessage half in ended.Values)
        {
            _young.Remove(half.Root);
            Ended(half);
        }
    }

    // What ends a transaction names the root; RocketMQ's names the record of the last check.
    private void End(long physicalOffset)
    {
        if (_young.TryFind(physicalOffset, out HalfMessage half))
        {
            _young.Remove(half.Root);

            // Not where the database has it: what was shown again would otherwise stay there for ever.
            _owed.TryAdd(half.QueueOffset, half.Root);
            Ended(half);
        }
        else if (_old.TryFindByRecord(physicalOffset, out half))
        {
            using KeyValueBatch batch = _old.NewBatch();
            PutOwed(batch, in half);
            _old.Remove(batch, in half);
            _old.Write(batch);
            Ended(half);
        }
        else
        {
            _ending.Remove(physicalOffset);
        }
    }

    private void PutOwed(KeyValueBatch batch, in HalfMessage half)
    {
        if (half.QueueOffset >= 0)
        {
            _old.PutOwed(batch, half.QueueOffset);
            _owed[half.QueueOffset] = InDatabase;
        }
    }

    private void Ended(HalfMessage half)
    {
        half.Topic.Count--;
        _ending.Remove(half.Root);
        _checking.Remove(half.Root);
    }

    // The oldest, as long as they were stored before that time.
    private void MoveYoung(long storedBeforeMs, int max = int.MaxValue)
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

    private void WriteApplied(KeyValueBatch batch, long applied)
    {
        byte[] value = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(value, applied);
        batch.Put(_states.Progress, ProgressKey, value);
        _old.Write(batch);
        _applied = applied;
    }
}
