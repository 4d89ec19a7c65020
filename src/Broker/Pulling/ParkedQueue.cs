using System.Runtime.InteropServices;
using GrayMQ.Broker.Filtering;

namespace GrayMQ.Broker.Pulling;

/// <summary>
/// The pulls that wait at one queue. Each is taken off once, by whoever has to answer it. Those whose expression the topic's index knows
/// stand by its number, so that a message costs what it matches and not what waits; the others are asked one by one.
/// </summary>
internal sealed class ParkedQueue
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, ParkedPull> _byNumber = [];
    private ParkedPull? _others;

    // Every message before has been held against all that wait here and are not behind; it was for none of them.
    private long _passedTo;

    // The version of the index whose numbers those of _byNumber are.
    private FilterVersion? _version;
    private volatile int _count;

    // Messages that nobody was held against.
    private int _skipped;
    private int _idleScans;
    private bool _retired;

    public bool IsEmpty => _count == 0;

    /// <summary>False when this list is out of use, and another one has taken its place.</summary>
    /// <param name="isBehind">Messages had come before, which it has to read: see <see cref="TakeOverdue(long, bool)"/>.</param>
    public bool TryAdd(ParkedPull parked, out bool isBehind)
    {
        lock (_lock)
        {
            isBehind = false;
            if (_retired)
            {
                return false;
            }

            _idleScans = 0;
            _count++;
            Add(parked);

            // The fence pairs with that of ParkedPulls.OnArrived: a message that does not find the pull here is seen by it.
            Interlocked.MemoryBarrier();
            parked.Skipped = _skipped;
            parked.IsBehind = isBehind = !parked.Pull.IsHeld && parked.Pull.Queue.MaxOffset > parked.Pull.QueueOffset;
            return true;
        }
    }

    /// <summary>Puts the list out of use when it was found empty so many times in a row.</summary>
    public bool TryRetire(int idleScans)
    {
        lock (_lock)
        {
            _retired = _count == 0 && ++_idleScans > idleScans;
            return _retired;
        }
    }

    /// <summary>Takes those that the message is for: a list by <see cref="ParkedPull.Next"/>.</summary>
    public ParkedPull? TakeMatching(in Arrival arrival)
    {
        ParkedPull? taken = null;
        lock (_lock)
        {
            SortFor(arrival.Answer?.Version);
            _passedTo = arrival.QueueOffset;
            _others = TakeMatching(_others, in arrival, ref taken);
            if (_byNumber.Count > 0 && arrival.Answer is { } answer)
            {
                foreach (int number in answer.Matches)
                {
                    if (_byNumber.Remove(number, out ParkedPull? first)
                        && TakeMatching(first, in arrival, ref taken) is { } kept)
                    {
                        _byNumber.Add(number, kept);
                    }
                }
            }

            _passedTo = arrival.QueueOffset + 1;
        }

        return taken;
    }

    /// <summary>A message has come that nobody is to be woken by: who waits has to read it when he is.</summary>
    public void Skip()
    {
        lock (_lock)
        {
            _skipped++;
        }
    }

    /// <summary>Takes those that are due, that have been left by their clients, or (if asked to) that are behind.</summary>
    public ParkedPull? TakeOverdue(long now, bool orBehind = false)
    {
        ParkedPull? taken = null;
        lock (_lock)
        {
            _others = TakeOverdue(_others, now, orBehind, ref taken);
            foreach (int number in _byNumber.Keys)
            {
                // Removing, or writing what is there, leaves the walk over the keys in order.
                if (TakeOverdue(_byNumber[number], now, orBehind, ref taken) is { } kept)
                {
                    CollectionsMarshal.GetValueRefOrNullRef(_byNumber, number) = kept;
                }
                else
                {
                    _byNumber.Remove(number);
                }
            }
        }

        return taken;
    }

    /// <summary>Takes those of a group that are held.</summary>
    public ParkedPull? TakeHeld(string group)
    {
        ParkedPull? taken = null;
        lock (_lock)
        {
            _others = TakeHeld(_others, group, ref taken);
            foreach (int number in _byNumber.Keys)
            {
                if (TakeHeld(_byNumber[number], group, ref taken) is { } kept)
                {
                    CollectionsMarshal.GetValueRefOrNullRef(_byNumber, number) = kept;
                }
                else
                {
                    _byNumber.Remove(number);
                }
            }
        }

        return taken;
    }

    private static void Push(ref ParkedPull? list, ParkedPull parked)
    {
        parked.Next = list;
        list = parked;
    }

    private void Add(ParkedPull parked)
    {
        if (parked.Pull.Filter is IndexedExpression indexed && _version is { } version && indexed.IsIn(version.Generation))
        {
            ref ParkedPull? list = ref CollectionsMarshal.GetValueRefOrAddDefault(_byNumber, indexed.Id, out _);
            Push(ref list, parked);
        }
        else
        {
            Push(ref _others, parked);
        }
    }

    // Numbers mean something in one version of the index; those that another one knows, or none, are sorted anew.
    private void SortFor(FilterVersion? version)
    {
        if (ReferenceEquals(version, _version))
        {
            return;
        }

        _version = version;
        ParkedPull? all = _others;
        _others = null;
        foreach (ParkedPull first in _byNumber.Values)
        {
            for (ParkedPull? at = first; at is not null;)
            {
                ParkedPull? next = at.Next;
                Push(ref all, at);
                at = next;
            }
        }

        _byNumber.Clear();
        while (all is not null)
        {
            ParkedPull? next = all.Next;
            Add(all);
            all = next;
        }
    }

    private void Take(ParkedPull parked, ref ParkedPull? taken)
    {
        _count--;
        if (!parked.Pull.IsHeld && !parked.IsBehind && parked.Skipped == _skipped && _passedTo > parked.Pull.QueueOffset)
        {
            parked.Pull = parked.Pull with { QueueOffset = _passedTo, HasPassed = true };
        }

        Push(ref taken, parked);
    }

    // Returns those that are left.
    private ParkedPull? TakeMatching(ParkedPull? list, in Arrival arrival, ref ParkedPull? taken)
    {
        ParkedPull? kept = null;
        while (list is not null)
        {
            ParkedPull? next = list.Next;
            if (!list.Pull.IsHeld && arrival.QueueOffset >= list.Pull.QueueOffset && arrival.IsFor(list.Pull.Filter))
            {
                Take(list, ref taken);
            }
            else
            {
                Push(ref kept, list);
            }

            list = next;
        }

        return kept;
    }

    private ParkedPull? TakeOverdue(ParkedPull? list, long now, bool orBehind, ref ParkedPull? taken)
    {
        ParkedPull? kept = null;
        while (list is not null)
        {
            ParkedPull? next = list.Next;
            if (list.Deadline <= now || (orBehind && list.IsBehind) || list.Pull.Responder.Connection.IsClosed)
            {
                Take(list, ref taken);
            }
            else
            {
                Push(ref kept, list);
            }

            list = next;
        }

        return kept;
    }

    private ParkedPull? TakeHeld(ParkedPull? list, string group, ref ParkedPull? taken)
    {
        ParkedPull? kept = null;
        while (list is not null)
        {
            ParkedPull? next = list.Next;
            if (list.Pull.IsHeld && list.Pull.Group.GroupName == group)
            {
                Take(list, ref taken);
            }
            else
            {
                Push(ref kept, list);
            }

            list = next;
        }

        return kept;
    }
}
