namespace GrayMQ.Remoting;

/// <summary>Lets one line a second through: whoever is refused may come again by the thousand.</summary>
internal sealed class LineThrottle(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private long _lastTimestamp = long.MinValue;
    private long _held;

    /// <summary>Whether a line may be written now.</summary>
    /// <param name="held">How many were held back since the last one.</param>
    public bool TryPass(out long held)
    {
        long last = Volatile.Read(ref _lastTimestamp);
        long now = time.GetTimestamp();
        if ((last == long.MinValue || time.GetElapsedTime(last, now) >= Interval)
            && Interlocked.CompareExchange(ref _lastTimestamp, now, last) == last)
        {
            held = Interlocked.Exchange(ref _held, 0);
            return true;
        }

        Interlocked.Increment(ref _held);
        held = 0;
        return false;
    }
}
