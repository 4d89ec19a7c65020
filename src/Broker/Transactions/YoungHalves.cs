namespace GrayMQ.Broker.Transactions;

/// <summary>
/// The half messages of the last moments, in the order of the log. Most transactions end before they are worth a place on the
/// disk: they come and go here. For one thread at a time.
/// </summary>
internal sealed class YoungHalves
{
    private const int InitialSlots = 16;

    private Slot[] _slots = new Slot[InitialSlots];
    private int _head;
    private int _tail;

    /// <summary>Those that are pending.</summary>
    public int Count { get; private set; }

    /// <summary>The one that was stored first.</summary>
    public bool TryPeek(out HalfMessage oldest)
    {
        // The slot at the head is pending, or there is none.
        oldest = _head < _tail ? _slots[_head].Half : default;
        return _head < _tail;
    }

    /// <summary>Does the message stand behind all that are here, in the log and in the queue?</summary>
    public bool Follows(in HalfMessage half) =>
        _head == _tail || (_slots[_tail - 1].Half.Root < half.Root && _slots[_tail - 1].Half.QueueOffset < half.QueueOffset);

    /// <summary>Adds a message that <see cref="Follows"/>.</summary>
    public void Add(in HalfMessage half)
    {
        if (_tail == _slots.Length)
        {
            MakeRoom();
        }

        _slots[_tail++] = new Slot { Half = half, IsPending = true };
        Count++;
    }

    public bool TryFind(long root, out HalfMessage half) => TryGet(Search(root, static half => half.Root), out half);

    public bool TryFindByQueueOffset(long queueOffset, out HalfMessage half) =>
        TryGet(Search(queueOffset, static half => half.QueueOffset), out half);

    /// <summary>Takes out a message that was found.</summary>
    public void Remove(long root)
    {
        int at = Search(root, static half => half.Root);
        if (at < 0 || !_slots[at].IsPending)
        {
            return;
        }

        _slots[at] = _slots[at] with { IsPending = false };
        Count--;
        while (_head < _tail && !_slots[_head].IsPending)
        {
            _slots[_head++] = default;
        }

        if (_head == _tail)
        {
            _head = 0;
            _tail = 0;
            if (_slots.Length > InitialSlots)
            {
                // A rush leaves no memory behind.
                _slots = new Slot[Math.Max(InitialSlots, _slots.Length / 2)];
            }
        }
    }

    /// <summary>Those that are pending, the oldest first.</summary>
    public IEnumerable<HalfMessage> All()
    {
        for (int i = _head; i < _tail; i++)
        {
            if (_slots[i].IsPending)
            {
                yield return _slots[i].Half;
            }
        }
    }

    private bool TryGet(int at, out HalfMessage half)
    {
        half = at >= 0 ? _slots[at].Half : default;
        return at >= 0 && _slots[at].IsPending;
    }

    private int Search(long value, Func<HalfMessage, long> key)
    {
        int low = _head;
        int high = _tail - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            long found = key(_slots[middle].Half);
            if (found == value)
            {
                return middle;
            }

            if (found < value)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return -1;
    }

    private void MakeRoom()
    {
        int used = _tail - _head;
        Slot[] target = used > _slots.Length / 2 ? new Slot[_slots.Length * 2] : _slots;
        Array.Copy(_slots, _head, target, 0, used);
        if (ReferenceEquals(target, _slots))
        {
            Array.Clear(_slots, used, _slots.Length - used);
        }

        _slots = target;
        _head = 0;
        _tail = used;
    }

    private readonly record struct Slot(HalfMessage Half, bool IsPending);
}
