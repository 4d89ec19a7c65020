namespace GrayMQ.Store.Flushing;

/// <summary>How waiting for a flush ended.</summary>
public enum FlushStatus
{
    /// <summary>On disk, or the store flushes asynchronously and nobody has to wait.</summary>
    Flushed,

    /// <summary>Not within <see cref="StoreOptions.SyncFlushTimeoutMs"/>.</summary>
    TimedOut,

    /// <summary>The disk reported an error: nothing is known about what was not flushed before.</summary>
    Failed,

    /// <summary>The store was closed before it got there.</summary>
    Closed,
}
