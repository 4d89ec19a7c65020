using GrayMQ.Broker.Filtering;

namespace GrayMQ.Broker.Popping;

/// <summary>The pops that wait at one target, the one that has waited longest first. Each is taken off once.</summary>
internal sealed class PopWaiters
{
    // So many pops with one expression, one behind the other, and it is what is asked for here.
    private const int SettledPops = 16;

    private readonly Lock _lock = new();
    private volatile ParkedPop? _first;
    private ParkedPop? _last;
    private int _count;
    private TopicTargets? _listed;
    private long _lastParkedMs;
    private volatile IndexedExpression? _expression;
    private IndexedExpression? _latest;
    private int _inARow;

    // Nobody is due before.
    private long _earliestMs = long.MaxValue;

    public bool IsEmpty => _first is null;

    /// <summary>The expression that all who wait have; null when they do not have one and the same, or one that no index knows.</summary>
    public IndexedExpression? Expression => _expression;

    /// <summary>Whether the target is in the list of those at which arrivals look.</summary>
    public bool IsListed => Volatile.Read(ref _listed) is not null;

    /// <summary>When the last one came here, ms since 1970.</summary>
    public long LastParkedMs
    {
        get => Volatile.Read(ref _lastParkedMs);
        set => Volatile.Write(ref _lastParkedMs, value);
    }

    /// <summary>How many wait for a queue, or with a negative id for all queues.</summary>
    public int CountOf(int queueId, bool notifications)
    {
        lock (_lock)
        {
            int count = 0;
            for (ParkedPop? at = _first; at is not null; at = at.Next)
            {
                count += SameQueue(at.Pop.QueueId, queueId) && at.Pop.IsNotification == notifications ? 1 : 0;
            }

            return count;
        }
    }

    /// <summary>The target is in the list from now on, or no longer; called by <see cref="ParkedTargets"/> alone.</summary>
    /// <param name="targets">Where it is sorted by its <see cref="Expression"/>; null for nowhere.</param>
    public void SetListed(TopicTargets? targets)
    {
        lock (_lock)
        {
            Volatile.Write(ref _listed, targets);

            // It may have been sorted there before, and the expression have changed since, which was told to nobody.
            targets?.MarkStale();
        }
    }

    /// <summary>False when as many wait for its queue as may.</summary>
    public bool TryAdd(ParkedPop parked, int most)
    {
        lock (_lock)
        {
            // Counting is left until there may be too many.
            if (_count >= most && CountOf(parked.Pop.QueueId, parked.Pop.IsNotification) >= most)
            {
                return false;
            }

            parked.Next = null;
            IndexedExpression? expression = ExpressionWith(parked.Pop.Filter as IndexedExpression);
            if (_expression != expression)
            {
                _expression = expression;

                // With the lock held: whoever parks after this one looks for messages that are there after the mark.
                _listed?.MarkStale();
            }

            Volatile.Write(ref _earliestMs, Math.Min(_earliestMs, parked.Pop.DeadlineMs));
            if (_last is null)
            {
                _first = parked;
            }
            else
            {
                _last.Next = parked;
            }

            _last = parked;
            _count++;
            return true;
        }
    }

    /// <summary>Takes one that waits for all queues or for this one, and that has use for the message: the longest waiting.</summary>
    public ParkedPop? TakeFor(bool allQueues, int queueId, bool notification, in Arrival arrival)
    {
        lock (_lock)
        {
            ParkedPop? before = null;
            for (ParkedPop? at = _first; at is not null; before = at, at = at.Next)
            {
                ref readonly Pop pop = ref at.Pop;
                if (pop.IsNotification == notification
                    && (allQueues ? pop.QueueId < 0 : pop.QueueId == queueId)
                    && arrival.IsFor(pop.Filter))
                {
                    return Unlink(before, at);
                }
            }

            return null;
        }
    }

    /// <summary>Takes the one that has waited longest for a queue, or with a negative id for all; or of any queue when that is null.</summary>
    public ParkedPop? TakeOne(int? queueId, bool notification, bool alsoOrdered = true)
    {
        lock (_lock)
        {
            ParkedPop? before = null;
            for (ParkedPop? at = _first; at is not null; before = at, at = at.Next)
            {
                if (at.Pop.IsNotification == notification
                    && (alsoOrdered || !at.Pop.IsOrdered)
                    && (queueId is not int wanted || SameQueue(at.Pop.QueueId, wanted)))
                {
                    return Unlink(before, at);
                }
            }

            return null;
        }
    }

    /// <summary>Takes this one, unless somebody else has.</summary>
    /// <param name="number">What <see cref="ParkedPop.Number"/> was when it was parked.</param>
    public bool TryTake(ParkedPop parked, long number)
    {
        lock (_lock)
        {
            ParkedPop? before = null;
            for (ParkedPop? at = _first; at is not null; before = at, at = at.Next)
            {
                if (ReferenceEquals(at, parked) && at.Number == number)
                {
                    Unlink(before, at);
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Takes those that are due: a list by <see cref="ParkedPop.Next"/>.</summary>
    /// <param name="orLeft">Also those that have been left by their clients.</param>
    public ParkedPop? TakeOverdue(long nowMs, bool orLeft)
    {
        if (nowMs < Volatile.Read(ref _earliestMs) && !orLeft)
        {
            return null;
        }

        ParkedPop? taken = null;
        lock (_lock)
        {
            long earliestMs = long.MaxValue;
            ParkedPop? before = null;
            for (ParkedPop? at = _first; at is not null;)
            {
                ParkedPop? next = at.Next;
                if (at.Pop.DeadlineMs <= nowMs || (orLeft && at.Pop.Responder.Connection.IsClosed))
                {
                    Unlink(before, at);
                    at.Next = taken;
                    taken = at;
                }
                else
                {
                    before = at;
                    earliestMs = Math.Min(earliestMs, at.Pop.DeadlineMs);
                }

                at = next;
            }

            Volatile.Write(ref _earliestMs, earliestMs);
        }

        return taken;
    }

    // A group whose members ask for one thing and another in turns stays among those at which every message looks: sorting all targets of the
    // topic anew each time costs more than that.
    private IndexedExpression? ExpressionWith(IndexedExpression? parked)
    {
        // The first one of all is believed.
        _inARow = _inARow == 0 ? SettledPops : parked == _latest ? Math.Min(_inARow + 1, SettledPops) : 1;
        _latest = parked;
        return parked == _expression || (_first is null && _inARow == SettledPops) ? parked : null;
    }

    private static bool SameQueue(int queueId, int wanted) => wanted < 0 ? queueId < 0 : queueId == wanted;

    private ParkedPop Unlink(ParkedPop? before, ParkedPop at)
    {
        if (before is null)
        {
            _first = at.Next;
        }
        else
        {
            before.Next = at.Next;
        }

        if (ReferenceEquals(_last, at))
        {
            _last = before;
        }

        at.Next = null;
        _count--;
        return at;
    }
}
