namespace GrayMQ.Client.Sessions;

/// <summary>Pauses between attempts: the first short, each further one twice as long, up to a limit.</summary>
internal readonly record struct Backoff(TimeSpan First, TimeSpan Longest)
{
    private const int MaxDoublings = 16;

    /// <summary>The pause after so many failures, one at least.</summary>
    public TimeSpan After(int failures) => TimeSpan.FromMilliseconds(Math.Min(
        First.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, MaxDoublings)), Longest.TotalMilliseconds));
}
