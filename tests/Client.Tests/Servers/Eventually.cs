using System.Diagnostics;

namespace GrayMQ.Client.Tests.Servers;

/// <summary>Waits for conditions, with a limit.</summary>
internal static class Eventually
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static Task HoldsAsync(Func<bool> condition, string what) => HoldsAsync(() => Task.FromResult(condition()), what);

    public static async Task HoldsAsync(Func<Task<bool>> condition, string what)
    {
        long started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Limit, $"not within {Limit.TotalSeconds} s: {what}");
            await timer.WaitForNextTickAsync();
        }
    }
}
