namespace GrayMQ.Store.Pops;

/// <summary>
/// Everything that waits for its time, the earliest first: a binary heap whose items know their places, so that what is acked
/// leaves at once. What is added is mostly the latest and what is removed stands near the end: both take a step or two.
/// </summary>
internal sealed class DueHeap
{
    private const int InitialCapacity = 64;

    private readonly Lock _lock = new();
    private PopDue[] _items = new PopDue[InitialCapacity];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>When the earliest is due, ms; <see cref="long.MaxValue"/> when there is none.</summary>
    public long EarliestMs
    {
        get
        {
            lock (_lock)
            {
                return _count == 0 ? long.MaxValue : _items[0].DueMs;
            }
        }
    }

    /// <summary>Adds an item; true when it is the earliest now.</summary>
    public bool Add(PopDue item, long dueMs)
    {
        lock (_lock)
        {
            if (_count == _items.Length)
            {
                Array.Resize(ref _items, _items.Length * 2);
            }

            item.DueMs = dueMs;
            Up(item, _count++);
            return item.HeapIndex == 0;
        }
    }

    /// <summary>Moves an item, whether it is there or not, to another time; true when it is the earliest now.</summary>
    public bool Move(PopDue item, long dueMs)
    {
        lock (_lock)
        {
            Take(item);
        }

        return Add(item, dueMs);
    }

    public void Remove(PopDue item)
    {
        lock (_lock)
        {
            Take(item);
        }
    }

    /// <summary>Adds to <paramref name="due"/> what is due at <paramref name="nowMs"/>, without taking it out.</summary>
    public void CopyDue(long nowMs, int most, List<PopDue> due)
    {
        lock (_lock)
        {
            CopyDue(0, nowMs, most, due);
        }
    }

    // Depth first, for below an item that is not due nothing is. The depth is the logarithm of the count.
    private void CopyDue(int index, long nowMs, int most, List<PopDue> due)
    {
        if (index >= _count || due.Count >= most || _items[index].DueMs > nowMs)
        {
            return;
        }

        due.Add(_items[index]);
        CopyDue((2 * index) + 1, nowMs, most, due);
        CopyDue((2 * index) + 2, nowMs, most, due);
    }

    private void Take(PopDue item)
    {
        int index = item.HeapIndex;
        if (index < 0)
        {
            return;
        }

        item.HeapIndex = -1;
        PopDue last = _items[--_count];
        _items[_count] = null!;
        if (ReferenceEquals(last, item))
        {
            return;
        }

        Up(last, index);
        Down(last, last.HeapIndex);
    }

    private void Up(PopDue item, int index)
    {
        while (index > 0)
        {
            int parent = (index - 1) / 2;
            if (_items[parent].DueMs <= item.DueMs)
            {
                break;
            }

            Put(_items[parent], index);
            index = parent;
        }

        Put(item, index);
    }

    private void Down(PopDue item, int index)
    {
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= _count)
            {
                break;
            }

            if (child + 1 < _count && _items[child + 1].DueMs < _items[child].DueMs)
            {
                child++;
            }

            if (_items[child].DueMs >= item.DueMs)
            {
                break;
            }

            Put(_items[child], index);
            index = child;
        }

        Put(item, index);
    }

    private void Put(PopDue item, int index)
    {
        _items[index] = item;
        item.HeapIndex = index;
    }
}
