namespace GrayMQ.Client.Sessions;

/// <summary>Counts the calls that are under way, so that closing can refuse new ones and wait for those.</summary>
internal sealed class Gate
{
    private const long ClosedBit = 1L << 62;

    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _state;

    /// <summary>Each call that got in has to <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        if ((Interlocked.Increment(ref _state) & ClosedBit) == 0)
        {
            return true;
        }

        Leave();
        return false;
    }

    /// <summary>Gets in until the pass is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The gate is closed.</exception>
    public Pass Enter(object owner)
    {
        ObjectDisposedException.ThrowIf(!TryEnter(), owner);
        return new Pass(this);
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref _state) == ClosedBit)
        {
            _empty.TrySetResult();
        }
    }

    /// <summary>Lets nobody in any more; completes when all have left.</summary>
    public Task CloseAsync()
    {
        if ((Interlocked.Or(ref _state, ClosedBit) & ~ClosedBit) == 0)
        {
            _empty.TrySetResult();
        }

        return _empty.Task;
    }

    public readonly struct Pass(Gate gate) : IDisposable
    {
        public void Dispose() => gate.Leave();
    }
}
