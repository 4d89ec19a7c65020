namespace GrayMQ.Client.Consumers.Popping;

/// <summary>How many messages are in flight, and when there is room for more.</summary>
internal sealed class PopBudget(int max)
{
    private int _used;
    private TaskCompletionSource _released = NewSignal();

    public int Used => Volatile.Read(ref _used);

    public void Take(int messages) => Interlocked.Add(ref _used, messages);

    public void Release(int messages)
    {
        if (Interlocked.Add(ref _used, -messages) < max)
        {
            Interlocked.Exchange(ref _released, NewSignal()).TrySetResult();
        }
    }

    /// <summary>Completes when there is room; tells for how many messages.</summary>
    public async ValueTask<int> WaitAsync(CancellationToken cancel)
    {
        while (true)
        {
            Task released = Volatile.Read(ref _released).Task;
            int free = max - Used;
            if (free > 0)
            {
                return free;
            }

            await released.WaitAsync(cancel).ConfigureAwait(false);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
