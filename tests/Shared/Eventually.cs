using System.Diagnostics;

namespace GrayMQ.Testing;

/// <summary>Waits for something that another thread brings about, for a bounded time.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(2);

    public static Task TrueAsync(Func<bool> condition, string what) => TrueAsync(() => Task.FromResult(condition()), what);

    /// <param name="limit">Where it may take longer than a minute.</param>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? limit = null)
    {
        TimeSpan deadline = limit ?? Deadline;
        long start = Stopwatch.GetTimestamp();
        using var look = new PeriodicTimer(Period);
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < deadline, $"{what}: not within {deadline.TotalSeconds} s");
            await look.WaitForNextTickAsync();
        }
    }
}
