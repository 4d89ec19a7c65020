using System.Threading.Tasks.Sources;

namespace GrayMQ.Store.Flushing;

/// <summary>A wait for a flush that is awaited; taken from a pool and given back when its result has been read.</summary>
internal sealed class FlushTask(GroupCommit owner) : FlushWaiter, IValueTaskSource<FlushStatus>
{
    // Whoever awaits this goes on elsewhere: behind it in the list others wait to be told.
    private ManualResetValueTaskSourceCore<FlushStatus> _core = new() { RunContinuationsAsynchronously = true };

    /// <summary>The next in the pool; guarded by the owner's lock.</summary>
    public FlushTask? NextUnused { get; set; }

    public ValueTask<FlushStatus> Task => new(this, _core.Version);

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

    protected override void OnFlushed(FlushStatus status) => _core.SetResult(status);
}
