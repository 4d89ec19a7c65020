namespace GrayMQ.Grpc.Framing;

/// <summary>Memory that all calls together may hold for what peers have yet to send or to take.</summary>
public sealed class ByteBudget(long bytes)
{
    private long _free = bytes;

    /// <summary>What is left of it.</summary>
    public long Free => Volatile.Read(ref _free);

    /// <summary>Takes some; false, and nothing is taken, when there is not so much left.</summary>
    public bool TryTake(long count)
    {
        if (Interlocked.Add(ref _free, -count) >= 0)
        {
            return true;
        }

        Give(count);
        return false;
    }

    /// <summary>Takes some even where there is not so much left.</summary>
    public void TakeAnyway(long count) => Interlocked.Add(ref _free, -count);

    /// <summary>Gives back what was taken.</summary>
    public void Give(long count) => Interlocked.Add(ref _free, count);
}
