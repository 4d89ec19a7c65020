namespace GrayMQ.Remoting.Tests.Testing;

/// <summary>Waits for what happens elsewhere, with a deadline that only a failure reaches.</summary>
internal static class Eventually
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(2);

    public static async Task TrueAsync(Func<bool> condition, Func<string>? what = null)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Deadline)
            {
                Assert.Fail($"not true within {Deadline}: {what?.Invoke()}");
            }

            await Task.Delay(PollInterval);
        }
    }

    /// <summary>Waits until a figure has stopped to change.</summary>
    public static async Task StandsStillAsync(Func<long> figure)
    {
        const int Times = 50;
        long last = figure();
        for (int same = 0; same < Times; same++)
        {
            await Task.Delay(PollInterval);
            long now = figure();
            same = now == last ? same : 0;
            last = now;
        }
    }
}
