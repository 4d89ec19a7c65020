namespace GrayMQ.Store.Pops;

/// <summary>Something of a queue that has a time: a batch in hand, or the lock of an orderly one.</summary>
public abstract class PopDue
{
    private protected PopDue(PopQueue queue) => Queue = queue;

    public PopQueue Queue { get; }

    /// <summary>When it is due, ms since 1970; changes under the queue's gate only.</summary>
    public long DueMs { get; internal set; }

    /// <summary>Its place in <see cref="DueHeap"/>; -1 when it is not there.</summary>
    internal int HeapIndex { get; set; } = -1;

    /// <summary>The end of a time, ms since 1970; one that no calendar has is never.</summary>
    internal static long After(long nowMs, long invisibleMs) => invisibleMs > long.MaxValue - nowMs ? long.MaxValue : nowMs + invisibleMs;
}
