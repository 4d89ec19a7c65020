using GrayMQ.Store.Timers;

namespace GrayMQ.Broker.Delays;

/// <summary>
/// Due messages that failed for a reason of their own, so that the others need not wait for them. They stay pending, and are tried again
/// in the time that they are late by, doubling so, within limits. For one thread.
/// </summary>
internal sealed class PostponedTimers
{
    // More at a time are no single messages' trouble.
    private const int MaxMessages = 64;

    private const long MinWaitMs = 500;
    private const long MaxWaitMs = 30_000;

    private readonly Dictionary<long, (TimerEntry Entry, long RetryAtMs)> _byOffset = [];

    public int Count => _byOffset.Count;

    public bool Contains(in TimerEntry entry) => _byOffset.ContainsKey(entry.PhysicalOffset);

    /// <summary>Has a message wait; false if too many do.</summary>
    /// <param name="waitMs">How long it waits.</param>
    public bool TryAdd(in TimerEntry entry, long nowMs, out long waitMs)
    {
        waitMs = Math.Clamp(nowMs - entry.DueMs, MinWaitMs, MaxWaitMs);
        return _byOffset.Count < MaxMessages && _byOffset.TryAdd(entry.PhysicalOffset, (entry, nowMs + waitMs));
    }

    /// <summary>Takes out the messages whose wait is over.</summary>
    public List<TimerEntry> TakeDue(long nowMs)
    {
        List<TimerEntry> due = [];
        foreach ((TimerEntry entry, long retryAtMs) in _byOffset.Values)
        {
            if (retryAtMs <= nowMs)
            {
                due.Add(entry);
            }
        }

        due.ForEach(entry => _byOffset.Remove(entry.PhysicalOffset));
        return due;
    }
}
