using System.Threading.Tasks.Sources;

namespace GrayMQ.Remoting.Connections;

/// <summary>
/// Who waits for the flushes of an output: for the end of the one under way, for that of the one after it, and the read loop. Guarded by
/// the output's lock, except that whoever was taken off is woken without it.
/// </summary>
internal sealed class FlushWaiters : IValueTaskSource
{
    private TaskCompletionSource? _flushed;
    private TaskCompletionSource? _flushedNext;

    // Woken on the thread pool already, so the read loop may go on right there.
    private ManualResetValueTaskSourceCore<bool> _pause;

    /// <summary>The end of the flush under way.</summary>
    public Task Flushed => (_flushed ??= NewCompletion()).Task;

    /// <summary>The end of the next flush to begin.</summary>
    public Task FlushedNext => (_flushedNext ??= NewCompletion()).Task;

    public bool IsReaderPaused { get; private set; }

    /// <summary>Completes when the read loop is woken, of which there is one.</summary>
    public ValueTask PauseReader()
    {
        IsReaderPaused = true;
        _pause.Reset();
        return new ValueTask(this, _pause.Version);
    }

    /// <summary>A flush begins: who waits for the next one waits for this.</summary>
    public void Begin()
    {
        _flushed = _flushedNext;
        _flushedNext = null;
    }

    /// <summary>Takes off who waits for the flush that has ended; if <paramref name="all"/>, also who waits for the next.</summary>
    public Woken Take(bool all)
    {
        TaskCompletionSource? first = _flushed;
        _flushed = null;
        TaskCompletionSource? second = null;
        if (all)
        {
            second = _flushedNext;
            _flushedNext = null;
        }

        return new Woken(first, second);
    }

    /// <summary>The read loop waits no more; <see cref="WakeReader"/> is to follow, without the lock.</summary>
    public void TakeReader() => IsReaderPaused = false;

    public void WakeReader() => _pause.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _pause.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _pause.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _pause.OnCompleted(continuation, state, token, flags);

    private static TaskCompletionSource NewCompletion() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Who was taken off. Their continuations run elsewhere, so they may be woken with the lock held, too.</summary>
    public readonly record struct Woken(TaskCompletionSource? First, TaskCompletionSource? Second)
    {
        public void Wake()
        {
            First?.TrySetResult();
            Second?.TrySetResult();
        }
    }
}
