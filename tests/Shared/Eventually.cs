using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace GrayMQ.Testing;

/// <summary>Waits for something that another thread brings about, for a bounded time.</summary>
internal static class Eventually
{
    /// <summary>Longer than anything takes that works, however busy the machine is.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(2);

    public static Task TrueAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        TrueAsync(() => Task.FromResult(condition()), what);

    /// <param name="describe">Says what is waited for, and how far it is when the time is over.</param>
    public static Task TrueAsync(Func<bool> condition, Func<string> describe) =>
        TrueAsync(() => Task.FromResult(condition()), describe, Deadline);

    /// <param name="limit">Where it may take longer than a minute.</param>
    public static Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? limit = null) =>
        TrueAsync(condition, () => what, limit ?? Deadline);

    private static async Task TrueAsync(Func<Task<bool>> condition, Func<string> describe, TimeSpan deadline)
    {
        long start = Stopwatch.GetTimestamp();
        using var look = new PeriodicTimer(Period);
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) >= deadline)
            {
                Assert.Fail($"{describe()}: not within {deadline.TotalSeconds} s");
            }

            await look.WaitForNextTickAsync();
        }
    }
}
