namespace GrayMQ.Store.Pops;

/// <summary>
/// What is in hand, counted and by due time, in memory only. A queue's gate is held by whoever changes what it has in hand; beneath
/// it only the heap's lock is taken.
/// </summary>
internal sealed class PopLedger
{
    private readonly DueHeap _due = new();
    private long _inFlight;

    /// <summary>Called when something is due before all that was there; on any thread, with a queue's gate held.</summary>
    public Action<long>? EarlierDue { get; set; }

    /// <inheritdoc cref="PopStore.Freed"/>
    public Action<PopQueue, object>? Freed { get; set; }

    /// <summary>Messages handed out and not acked.</summary>
    public long InFlight => Volatile.Read(ref _inFlight);

    public int DueCount => _due.Count;

    public long EarliestDueMs => _due.EarliestMs;

    public void CopyDue(long nowMs, int most, List<PopDue> due) => _due.CopyDue(nowMs, most, due);

    public void Add(PopCheckPoint checkPoint, long dueMs)
    {
        checkPoint.Queue.Add(checkPoint);
        Interlocked.Add(ref _inFlight, checkPoint.UnackedCount);
        if (_due.Add(checkPoint, dueMs))
        {
            EarlierDue?.Invoke(dueMs);
        }
    }

    /// <summary>Takes acked messages off a batch.</summary>
    /// <returns>How many of them had not been acked.</returns>
    public int Shrink(PopCheckPoint checkPoint, uint acked)
    {
        int before = checkPoint.UnackedCount;
        checkPoint.Unacked &= ~acked;
        int gone = before - checkPoint.UnackedCount;
        Account(checkPoint, gone);
        return gone;
    }

    /// <summary>So many messages were taken off a batch already.</summary>
    public void Account(PopCheckPoint checkPoint, int gone)
    {
        Add(checkPoint.Queue, -gone);
        if (checkPoint.Unacked == 0)
        {
            checkPoint.Queue.Remove(checkPoint);
            _due.Remove(checkPoint);
        }
    }

    /// <summary>An ack has not happened after all.</summary>
    public void TakeBack(PopCheckPoint checkPoint, uint acked)
    {
        if (checkPoint.Queue.IsDropped)
        {
            return;
        }

        bool wasOver = checkPoint.Unacked == 0;
        checkPoint.Unacked |= acked;
        if (wasOver)
        {
            Add(checkPoint, checkPoint.DueMs);
        }
        else
        {
            Add(checkPoint.Queue, 1);
        }
    }

    /// <summary>Puts a batch in order, or none, in the place of the one that the queue was locked with.</summary>
    public void Replace(PopQueue queue, OrderedBatch? ordered)
    {
        if (queue.Ordered is { } before)
        {
            _due.Remove(before);
            Add(queue, -before.UnackedCount);
        }

        queue.Ordered = ordered;
        if (ordered is not null)
        {
            Add(queue, ordered.UnackedCount);
            Schedule(ordered, ordered.FreeMs);
        }
    }

    /// <summary>Messages of a batch in order were acked, which is left.</summary>
    public void Account(OrderedBatch ordered, int gone)
    {
        Add(ordered.Queue, -gone);
        if (ordered.Unacked == 0)
        {
            // Holds nothing up any more, but tells what the next batches have to pass over.
            _due.Remove(ordered);
        }
        else
        {
            Schedule(ordered, ordered.FreeMs);
        }
    }

    public void Schedule(PopDue item, long dueMs)
    {
        if (_due.Move(item, dueMs))
        {
            EarlierDue?.Invoke(dueMs);
        }
    }

    public void Unschedule(PopDue item) => _due.Remove(item);

    private void Add(PopQueue queue, int messages)
    {
        queue.InFlight += messages;
        Interlocked.Add(ref _inFlight, messages);
        if (messages < 0 && queue.TakeRefused() is { } refused)
        {
            Freed?.Invoke(queue, refused);
        }
    }
}
