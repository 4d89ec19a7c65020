using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Model;

/// <summary>What the model knows of a queue and the group that pops it in order.</summary>
internal sealed class OrderedQueue(int queueId)
{
    // Messages by offset, as far as they were delivered.
    private readonly List<SentMessage> _messages = [];
    private readonly HashSet<long> _acked = [];
    private readonly HashSet<long> _maybeAcked = [];

    // The batch in hand, without what was acked of it: until when nothing else of the queue may come, and the handles, where they are known.
    private readonly Dictionary<long, long> _hiddenUntilMs = [];
    private readonly Dictionary<long, Handle> _handles = [];
    private readonly Journal _journal = new(30);

    public int AckedCount => _acked.Count;

    public int SettledCount => _acked.Count + _maybeAcked.Count;

    public void Deliver(List<(SentMessage Message, Handle Handle)> batch)
    {
        _journal.Add($"popped {string.Join('+', batch.Select(message => message.Handle.QueueOffset))} by {batch[0].Handle}");
        foreach ((long offset, long until) in _hiddenUntilMs)
        {
            Violation.Unless(
                batch[0].Handle.PopTimeMs >= until,
                $"queue {queueId} was popped in order at {batch[0].Handle.PopTimeMs} though the message at {offset} was in hand until {until}: {_journal}");
        }

        long expected = 0;
        foreach ((SentMessage message, Handle handle) in batch)
        {
            while (_acked.Contains(expected) || (_maybeAcked.Contains(expected) && expected < handle.QueueOffset))
            {
                expected++;
            }

            Violation.Unless(
                handle.QueueOffset == expected,
                $"queue {queueId} delivered offset {handle.QueueOffset} in order, but the next that is not acked is {expected}: {_journal}");
            expected++;
            Note(message, handle.QueueOffset);
        }

        _hiddenUntilMs.Clear();
        _handles.Clear();
        foreach ((_, Handle handle) in batch)
        {
            _maybeAcked.Remove(handle.QueueOffset);
            _handles[handle.QueueOffset] = handle;
            _hiddenUntilMs[handle.QueueOffset] = handle.PopTimeMs + handle.InvisibleTimeMs;
        }
    }

    public Handle? Pick(Random random) =>
        _handles.Count == 0 ? null : _handles.Values.ElementAt(random.Next(_handles.Count));

    public void Ack(long offset)
    {
        _journal.Add($"acked {offset}");
        _acked.Add(offset);
        Drop(offset);
    }

    public void MayHaveAcked(long offset)
    {
        _journal.Add($"may have acked {offset}");
        _maybeAcked.Add(offset);
        Drop(offset);
    }

    public void NotInHand(long offset, long nowMs, string what)
    {
        Violation.Unless(
            nowMs >= _hiddenUntilMs[offset],
            $"{what} of offset {offset} of queue {queueId} was refused at {nowMs} at the latest though it was in hand until {_hiddenUntilMs[offset]}: {_journal}");
        _handles.Remove(offset);
        _journal.Add($"refused {what} of {offset} at {nowMs}");
    }

    public void Change(long offset, ChangeInvisibleTimeResponseHeader answer)
    {
        _journal.Add($"changed {offset} to {answer.PopTimeMs}+{answer.InvisibleTimeMs}");
        Handle handle = _handles[offset];
        _handles[offset] = handle with { PopTimeMs = answer.PopTimeMs, InvisibleTimeMs = answer.InvisibleTimeMs };
        _hiddenUntilMs[offset] = answer.PopTimeMs + answer.InvisibleTimeMs;
    }

    public void MayHaveChanged(long offset, long untilMs)
    {
        _journal.Add($"may have changed {offset} to {untilMs}");
        _hiddenUntilMs[offset] = Math.Min(_hiddenUntilMs[offset], untilMs);
    }

    /// <summary>A pop was not answered: what was in hand may have been delivered anew, under other handles.</summary>
    public void LoseSight()
    {
        _journal.Add("lost a pop");
        _handles.Clear();
        _hiddenUntilMs.Clear();
    }

    public override string ToString()
    {
        long first = 0;
        while (_acked.Contains(first))
        {
            first++;
        }

        return $"queue {queueId}: {_messages.Count} delivered, {_acked.Count} acked, {_maybeAcked.Count} may be, the next is {first}, "
            + $"in hand {string.Join(' ', _handles.Values.Select(handle => $"[{handle}]"))}";
    }

    private void Drop(long offset)
    {
        _handles.Remove(offset);
        _hiddenUntilMs.Remove(offset);
    }

    // Sent one after the other to one queue: they stand in this order.
    private void Note(SentMessage message, long offset)
    {
        if (offset < _messages.Count)
        {
            Violation.Unless(
                _messages[(int)offset] == message,
                $"queue {queueId} has message {message.Id} at offset {offset}, where {_messages[(int)offset].Id} was");
            return;
        }

        Violation.Unless(
            offset == _messages.Count && (_messages.Count == 0 || message.Id > _messages[^1].Id),
            $"queue {queueId} has message {message.Id} at offset {offset}, behind {_messages.Count} messages up to {_messages.LastOrDefault()?.Id}");
        _messages.Add(message);
        message.Place = (queueId, offset);
    }
}
