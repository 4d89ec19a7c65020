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

    // All that wait, without gaps, and their deadlines side by side: many times a second somebody looks for those that are over.
    private ParkedPull[] _all = [];
    private long[] _deadlines = [];
    private volatile int _count;

    // The same ones as they are woken, in lists.
    private readonly Dictionary<int, ParkedPull> _byNumber = [];
    private ParkedPull? _others;

    // Every message before has been held against all that wait here and are not behind; it was for none of them.
    private long _passedTo;

    // The version of the index whose numbers those of _byNumber are.
    private FilterVersion? _version;

    // Messages that nobody was held against.
    private int _skipped;
    private int _idleScans;
    private bool _retired;

    public bool IsEmpty => _count == 0;

    /// <summary>False when this list is out of use, and another one has taken its place.</summary>
    /// <param name="isBehind">Messages had come before, which it has to read: see <see cref="TakeBehind"/>.</param>
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
            Append(parked);
            Link(parked);

            // The fence pairs with that of Arrivals: a message that does not find the pull here is seen by it.
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
            TakeMatching(_others, in arrival, ref taken);
            if (_byNumber.Count > 0 && arrival.Answer is { } answer)
            {
                foreach (int number in answer.Matches)
                {
                    TakeMatching(_byNumber.GetValueOrDefault(number), in arrival, ref taken);
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

    /// <summary>Takes those that are due.</summary>
    public ParkedPull? TakeOverdue(long now)
    {
        ParkedPull? taken = null;
        lock (_lock)
        {
            for (int i = _count - 1; i >= 0; i--)
            {
                if (_deadlines[i] <= now)
                {
                    Take(_all[i], ref taken);
                }
            }
        }

        return taken;
    }

    /// <summary>Takes those that have been left by their clients.</summary>
    public ParkedPull? TakeLeft() => TakeAll(static parked => parked.Pull.Responder.Connection.IsClosed);

    /// <summary>Takes those that were parked when there were messages already.</summary>
    public ParkedPull? TakeBehind() => TakeAll(static parked => parked.IsBehind);

    /// <summary>Takes those of a group that are held.</summary>
    public ParkedPull? TakeHeld(string group) => TakeAll(parked => parked.Pull.IsHeld && parked.Pull.Group.GroupName == group);

    private ParkedPull? TakeAll(Predicate<ParkedPull> which)
    {
        ParkedPull? taken = null;
        lock (_lock)
        {
            for (int i = _count - 1; i >= 0; i--)
            {
                if (which(_all[i]))
                {
                    Take(_all[i], ref taken);
                }
            }
        }

        return taken;
    }

    // Numbers mean something in one version of the index; those that another one knows, or none, are sorted anew.
    private void SortFor(FilterVersion? version)
    {
        if (ReferenceEquals(version, _version))
        {
            return;
        }

        _version = version;
        _byNumber.Clear();
        _others = null;
        foreach (ParkedPull parked in _all.AsSpan(0, _count))
        {
            Link(parked);
        }
    }

    private void TakeMatching(ParkedPull? list, in Arrival arrival, ref ParkedPull? taken)
    {
        while (list is not null)
        {
            ParkedPull? next = list.Next;
            if (!list.Pull.IsHeld && arrival.QueueOffset >= list.Pull.QueueOffset && arrival.IsFor(list.Pull.Filter))
            {
                Take(list, ref taken);
            }

            list = next;
        }
    }

    private void Take(ParkedPull parked, ref ParkedPull? taken)
    {
        Unlink(parked);
        Remove(parked);
        if (!parked.Pull.IsHeld
            && !parked.Pull.IsFilterOfGroup
            && !parked.IsBehind
            && parked.Skipped == _skipped
            && _passedTo > parked.Pull.QueueOffset)
        {
            parked.Pull = parked.Pull with { QueueOffset = _passedTo, HasPassed = true };
        }

        parked.Next = taken;
        taken = parked;
    }

    private void Append(ParkedPull parked)
    {
        int place = _count;
        if (place == _all.Length)
        {
            Array.Resize(ref _all, Math.Max(8, place * 2));
            Array.Resize(ref _deadlines, _all.Length);
        }

        _all[place] = parked;
        _deadlines[place] = parked.Deadline;
        parked.Place = place;
        _count = place + 1;
    }

    // The last one takes its place.
    private void Remove(ParkedPull parked)
    {
        int last = _count - 1;
        int place = parked.Place;
        _all[place] = _all[last];
        _all[place].Place = place;
        _deadlines[place] = _deadlines[last];
        _all[last] = null!;
        _count = last;
    }

    private void Link(ParkedPull parked)
    {
        parked.Number = parked.Pull.Filter is IndexedExpression indexed && _version is { } version && indexed.IsIn(version.Generation)
            ? indexed.Id
            : ParkedPull.NoNumber;
        ref ParkedPull? first = ref parked.Number == ParkedPull.NoNumber
            ? ref _others
            : ref CollectionsMarshal.GetValueRefOrAddDefault(_byNumber, parked.Number, out _);
        parked.Previous = null;
        parked.Next = first;
        if (first is not null)
        {
            first.Previous = parked;
        }

        first = parked;
    }

    private void Unlink(ParkedPull parked)
    {
        if (parked.Next is { } next)
        {
            next.Previous = parked.Previous;
        }

        if (parked.Previous is { } previous)
        {
            previous.Next = parked.Next;
        }
        else if (parked.Number == ParkedPull.NoNumber)
        {
            _others = parked.Next;
        }
        else if (parked.Next is { } second)
        {
            _byNumber[parked.Number] = second;
        }
        else
        {
            _byNumber.Remove(parked.Number);
        }

        parked.Previous = null;
        parked.Next = null;
    }
}
