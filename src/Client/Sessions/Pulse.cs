namespace GrayMQ.Client.Sessions;

/// <summary>
/// Lets one loop sleep until its time has come or somebody wakes it. A wake-up that comes while the loop is at work is kept for its next
/// wait; several count as one.
/// </summary>
internal sealed class Pulse(TimeProvider time)
{
    private TaskCompletionSource _woken = NewSource();

    public void Wake() => Volatile.Read(ref _woken).TrySetResult();

    /// <summary>Returns when woken, or after <paramref name="atMost"/>.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancel)
    {
        TaskCompletionSource woken = Volatile.Read(ref _woken);
        await woken.Task.WaitAsync(atMost, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancel.ThrowIfCancellationRequested();
        if (woken.Task.IsCompleted)
        {
            Volatile.Write(ref _woken, NewSource());
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
