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

    /// <summary>Completes when whoever stops it has done so.</summary>
    public Task Stopped => _stopped.Task;

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

    /// <summary>Whether the caller is to stop it: true once.</summary>
    public bool TryStop() => Interlocked.Exchange(ref _state, Ended) != Ended;

    public void SetStopped() => _stopped.TrySetResult();
}
