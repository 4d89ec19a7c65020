using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Pulling;

/// <summary>The pulls that wait at one queue. Each is taken off once, by whoever has to answer it.</summary>
internal sealed class ParkedQueue
{
    private readonly Lock _lock = new();
    private volatile ParkedPull? _first;

    public bool IsEmpty => _first is null;

    public void Add(ParkedPull parked)
    {
        lock (_lock)
        {
            parked.Next = _first;
            _first = parked;
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
