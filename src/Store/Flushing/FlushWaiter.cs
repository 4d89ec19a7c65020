namespace GrayMQ.Store.Flushing;

/// <summary>
/// Who waits until what was appended is on disk (<see cref="MessageStore.WaitForFlush"/>); for one flush at a time, and then again. One flush
/// tells all that wait for it, one behind the other.
/// </summary>
public abstract class FlushWaiter : IThreadPoolWorkItem
{
    private FlushStatus _status;

    /// <summary>Everything below has to be on disk.</summary>
    internal long Offset { get; private set; }

    /// <summary>When it began to wait, as the time provider counts.</summary>
    internal long StartedAt { get; private set; }

    /// <summary>The next in a list; guarded by the lock of <see cref="GroupCommit"/>.</summary>
    internal FlushWaiter? Next { get; set; }

    internal void Begin(long offset, long startedAt)
    {
        Offset = offset;
        StartedAt = startedAt;
    }

    /// <summary>Tells this and those that follow it, on the thread pool.</summary>
    internal void CompleteList(FlushStatus status)
    {
        _status = status;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The wait is over. Others wait for the return, so it neither blocks nor throws.</summary>
    protected abstract void OnFlushed(FlushStatus status);

    void IThreadPoolWorkItem.Execute()
    {
        FlushStatus status = _status;
        FlushWaiter? waiter = this;
        while (waiter is not null)
        {
            // Once told, a waiter may be in use again: its link is read before.
            FlushWaiter? next = waiter.Next;
            waiter.Next = null;
            waiter.OnFlushed(status);
            waiter = next;
        }
    }
}
