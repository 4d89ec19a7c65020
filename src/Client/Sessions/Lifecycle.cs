namespace GrayMQ.Client.Sessions;

/// <summary>A life that begins once and ends once.</summary>
internal sealed class Lifecycle(string name)
{
    private const int Created = 0;
    private const int Running = 1;
    private const int Ended = 2;

    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;

    public bool IsRunning => Volatile.Read(ref _state) == Running;

    /// <exception cref="InvalidOperationException">It has begun or ended before.</exception>
    public void Start()
    {
        switch (Interlocked.CompareExchange(ref _state, Running, Created))
        {
            case Running:
                throw new InvalidOperationException($"this {name} has been started already");
            case Ended:
                throw new InvalidOperationException($"this {name} has been stopped: make another one");
        }
    }

    /// <summary>Ends it: the first call has <paramref name="stop"/> do so, all others wait for that.</summary>
    public async Task StopAsync(Func<Task> stop)
    {
        if (Interlocked.Exchange(ref _state, Ended) == Ended)
        {
            await _stopped.Task.ConfigureAwait(false);
            return;
        }

        try
        {
            await stop().ConfigureAwait(false);
        }
        finally
        {
            _stopped.TrySetResult();
        }
    }
}
