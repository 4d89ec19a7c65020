using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Pulling;

/// <summary>The pulls that wait at one queue. Each is taken off once, by whoever has to answer it.</summary>
internal sealed class ParkedQueue
{
    private readonly Lock _lock = new();
    private volatile ParkedPull? _first;
    private int _idleScans;
    private bool _retired;

    public bool IsEmpty => _first is null;

    /// <summary>False when this list is out of use, and another one has taken its place.</summary>
    public bool TryAdd(ParkedPull parked)
    {
        lock (_lock)
        {
            if (_retired)
            {
                return false;
            }

            _idleScans = 0;
            parked.Next = _first;
            _first = parked;
            return true;
        }
    }

    /// <summary>Puts the list out of use when it was found empty so many times in a row.</summary>
    public bool TryRetire(int idleScans)
    {
        lock (_lock)
        {
            _retired = _first is null && ++_idleScans > idleScans;
            return _retired;
        }
    }

    /// <summary>Takes those for which the message at <paramref name="queueOffset"/> is: a list by <see cref="ParkedPull.Next"/>.</summary>
    public ParkedPull? TakeMatching(long queueOffset, long tagsCode, in StoredMessage message)
    {
        ParkedPull? taken = null;
        lock (_lock)
        {
            ParkedPull? kept = null;
            for (ParkedPull? at = _first; at is not null;)
            {
                ParkedPull? next = at.Next;
                Pull pull = at.Pull;
                bool matches = queueOffset >= pull.QueueOffset
                    && (pull.Filter is null
                        || (pull.Filter.MatchesEntry(tagsCode)
                            && (!pull.Filter.NeedsMessage || pull.Filter.MatchesMessage(in message))));
                Push(ref matches ? ref taken : ref kept, at);
                at = next;
            }

            _first = kept;
        }

        return taken;
    }

    /// <summary>Takes those that are due, that have been left by their clients, or that lag behind <paramref name="maxOffset"/>.</summary>
    /// <param name="maxOffset">Null leaves those that lag: what is there did not match.</param>
    public ParkedPull? TakeOverdue(long now, long? maxOffset = null)
    {
        ParkedPull? taken = null;
        lock (_lock)
        {
            ParkedPull? kept = null;
            for (ParkedPull? at = _first; at is not null;)
            {
                ParkedPull? next = at.Next;
                bool due = at.Deadline <= now || at.Pull.Responder.Connection.IsClosed || maxOffset > at.Pull.QueueOffset;
                Push(ref due ? ref taken : ref kept, at);
                at = next;
            }

            _first = kept;
        }

        return taken;
    }

    private static void Push(ref ParkedPull? list, ParkedPull parked)
    {
        parked.Next = list;
        list = parked;
    }
}
