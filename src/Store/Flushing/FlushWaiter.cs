using System.Threading.Tasks.Sources;

namespace GrayMQ.Store.Flushing;

/// <summary>One append that waits for its flush; taken from a pool and given back when its result has been read.</summary>
internal sealed class FlushWaiter(GroupCommit owner) : IValueTaskSource<FlushStatus>, IThreadPoolWorkItem
{
    // Completed on the thread pool, where continuations may run.
    private ManualResetValueTaskSourceCore<FlushStatus> _core;
    private FlushStatus _status;

    /// <summary>Everything below has to be on disk.</summary>
    public long Offset { get; private set; }

    /// <summary>When it was taken, as the time provider counts.</summary>
    public long StartedAt { get; private set; }

    /// <summary>The next in a list or in the pool; guarded by the owner's lock.</summary>
    public FlushWaiter? Next { get; set; }

    public ValueTask<FlushStatus> Task => new(this, _core.Version);

    public void Begin(long offset, long startedAt)
    {
        Offset = offset;
        StartedAt = startedAt;
    }

    /// <summary>Completes this and those that follow it, on the thread pool.</summary>
    public void CompleteList(FlushStatus status)
    {
        _status = status;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        FlushStatus status = _status;
        FlushWaiter? waiter = this;
        while (waiter is not null)
        {
            // Once completed, a waiter may be in use again: its link is read before.
            FlushWaiter? next = waiter.Next;
            waiter.Next = null;
            waiter._core.SetResult(status);
            waiter = next;
        }
    }

    public FlushStatus GetResult(short token)
    {
        FlushStatus status = _core.GetResult(token);
        _core.Reset();
        owner.GiveBack(this);
        return status;
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
