namespace GrayMQ.Client.Sessions;

/// <summary>The time that is left of a limit that several steps share.</summary>
internal readonly struct Deadline(TimeProvider time, TimeSpan limit)
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    private readonly long _start = time.GetTimestamp();

    public TimeSpan Left => limit - time.GetElapsedTime(_start);

    /// <summary>What a step may take: all that is left, or less where it has a limit of its own; at least 1 ms.</summary>
    public TimeSpan Limit(TimeSpan? own)
    {
        TimeSpan left = Left;
        if (own is { } most && most < left)
        {
            left = most;
        }

        return left > Least ? left : Least;
    }
}
