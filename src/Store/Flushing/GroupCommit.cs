namespace GrayMQ.Store.Flushing;

/// <summary>The appends that wait for a flush. One flush completes all that it covers.</summary>
internal sealed class GroupCommit(TimeProvider time)
{
    // Waiters kept for reuse; more at a time are left to the garbage collector.
    private const int MaxPooled = 4_096;

    // Waiters that are not worth waking another thread for.
    private const int MinShare = 4;

    private readonly Lock _lock = new();
    private FlushWaiter? _waiting;
    private FlushTask? _pool;
    private int _pooled;
    private FlushStatus? _ended;

    /// <summary>Waits for everything below <paramref name="offset"/>.</summary>
    public ValueTask<FlushStatus> Add(long offset)
    {
        lock (_lock)
        {
            if (_ended is { } status)
            {
                return ValueTask.FromResult(status);
            }

            FlushTask task = _pool ?? new FlushTask(this);
            if (_pool is not null)
            {
                _pool = task.NextUnused;
                _pooled--;
            }

            Add(offset, task);
            return task.Task;
        }
    }

    /// <summary>Has <paramref name="waiter"/> wait for everything below <paramref name="offset"/>.</summary>
    /// <returns>Null; or, where there are no more flushes, how it ended, and the waiter is not told.</returns>
    public FlushStatus? TryAdd(long offset, FlushWaiter waiter)
    {
        lock (_lock)
        {
            if (_ended is null)
            {
                Add(offset, waiter);
            }

            return _ended;
        }
    }

    /// <summary>Completes whoever waits for no more than <paramref name="flushedOffset"/>.</summary>
    public void Complete(long flushedOffset) => CompleteAll(Take(flushedOffset, long.MinValue, TimeSpan.MaxValue), FlushStatus.Flushed);

    /// <summary>Completes whoever has waited too long for what is written, if not flushed.</summary>
    public void Expire(long writtenOffset, TimeSpan timeout) =>
        CompleteAll(Take(long.MinValue, writtenOffset, timeout), FlushStatus.TimedOut);

    /// <summary>Completes everybody, now and from now on: there will be no more flushes.</summary>
    public void End(FlushStatus status)
    {
        FlushWaiter? taken;
        lock (_lock)
        {
            _ended ??= status;
            taken = _waiting;
            _waiting = null;
        }

        CompleteAll(taken, status);
    }

    internal void GiveBack(FlushTask task)
    {
        lock (_lock)
        {
            if (_pooled < MaxPooled)
            {
                task.NextUnused = _pool;
                _pool = task;
                _pooled++;
            }
        }
    }

    // With the lock held.
    private void Add(long offset, FlushWaiter waiter)
    {
        waiter.Begin(offset, time.GetTimestamp());
        waiter.Next = _waiting;
        _waiting = waiter;
    }

    // Takes out of the list those that are flushed or too old; the list is in no order.
    private FlushWaiter? Take(long flushedOffset, long writtenOffset, TimeSpan olderThan)
    {
        FlushWaiter? taken = null;
        lock (_lock)
        {
            FlushWaiter? kept = null;
            FlushWaiter? waiter = _waiting;
            while (waiter is not null)
            {
                FlushWaiter? next = waiter.Next;
                if (waiter.Offset <= flushedOffset
                    || (waiter.Offset <= writtenOffset && time.GetElapsedTime(waiter.StartedAt) >= olderThan))
                {
                    waiter.Next = taken;
                    taken = waiter;
                }
                else
                {
                    waiter.Next = kept;
                    kept = waiter;
                }

                waiter = next;
            }

            _waiting = kept;
        }

        return taken;
    }

    // Shared out among the processors: continuations write replies, and must not hold up the flushing thread. An item of the pool for each
    // would cost more than most replies do.
    private static void CompleteAll(FlushWaiter? waiter, FlushStatus status)
    {
        int count = 0;
        for (FlushWaiter? counted = waiter; counted is not null; counted = counted.Next)
        {
            count++;
        }

        int share = Math.Max(MinShare, (count + Environment.ProcessorCount - 1) / Environment.ProcessorCount);
        while (waiter is not null)
        {
            FlushWaiter first = waiter;
            FlushWaiter last = waiter;
            for (int i = 1; i < share && last.Next is not null; i++)
            {
                last = last.Next;
            }

            waiter = last.Next;
            last.Next = null;
            first.CompleteList(status);
        }
    }
}
