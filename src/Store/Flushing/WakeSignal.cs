namespace GrayMQ.Store.Flushing;

/// <summary>
/// Wakes one worker thread, at the price of a system call only if it sleeps. The worker announces that it is about to
/// sleep, looks once more for work, and then sleeps; whoever makes work looks whether it sleeps.
/// </summary>
internal sealed class WakeSignal : IDisposable
{
    private readonly SemaphoreSlim _semaphore = new(0);
    private int _sleeping;

    /// <summary>Called after work was made visible.</summary>
    public void Wake()
    {
        // Orders the caller's write of work before the look at the sleeper.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _sleeping) == 1 && Interlocked.Exchange(ref _sleeping, 0) == 1)
        {
            _semaphore.Release();
        }
    }

    /// <summary>Called by the worker before it looks for work a last time.</summary>
    public void PrepareToSleep() => Interlocked.Exchange(ref _sleeping, 1);

    /// <summary>There was work after all.</summary>
    public void StayAwake()
    {
        if (Interlocked.Exchange(ref _sleeping, 0) == 0)
        {
            // Somebody woke us in between: take the token, or it would cut the next sleep short.
            _semaphore.Wait();
        }
    }

    /// <summary>Sleeps until woken.</summary>
    public void Sleep() => _semaphore.Wait();

    public void Dispose() => _semaphore.Dispose();
}
