using System.ComponentModel;
using System.Diagnostics;

namespace GrayMQ.Load;

/// <summary>Runs connections side by side, first to warm up, then measured.</summary>
internal static class LoadRun
{
    public static async Task<LoadResult> RunAsync(
        string name, LoadOptions options, Func<int, LoadClient> connect, CancellationToken cancel)
    {
        LoadClient[] connections = [.. Enumerable.Range(0, options.Connections).Select(connect)];
        Task[] running = [.. connections.Select(connection => Task.Run(() => connection.RunAsync(cancel), cancel))];
        Task any = Task.WhenAny(running);
        try
        {
            await Task.WhenAny(any, Task.Delay(options.WarmUp, cancel));
            ProcessUsage? before = Usage(options);
            double allocatedBefore = await ServerAllocation.ReadAsync(options, cancel);
            long start = Stopwatch.GetTimestamp();
            Task<double> instructions = InstructionsAsync(options, cancel);
            SetMeasuring(connections, true);
            await Task.WhenAny(any, Task.Delay(options.Duration, cancel));
            SetMeasuring(connections, false);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            double allocatedAfter = await ServerAllocation.ReadAsync(options, cancel);
            ProcessUsage? after = Usage(options);
            foreach (LoadClient connection in connections)
            {
                connection.Ending = true;
            }

            await Task.WhenAll(running);
            var latency = new LatencyHistogram();
            foreach (LoadClient connection in connections)
            {
                latency.Add(connection.Latency);
            }

            long messages = connections.Sum(connection => connection.Messages);
            return new LoadResult(
                name,
                messages,
                connections.Sum(connection => connection.Requests),
                connections.Sum(connection => connection.Errors),
                elapsed,
                latency,
                before is { } b && after is { } a ? (a.CpuMs - b.CpuMs) * 1000 / messages : double.NaN,
                await instructions / messages,
                (allocatedAfter - allocatedBefore) / messages,
                after?.AnonymousBytes ?? 0);
        }
        finally
        {
            foreach (LoadClient connection in connections)
            {
                connection.Dispose();
            }
        }
    }

    private static void SetMeasuring(LoadClient[] connections, bool measuring)
    {
        foreach (LoadClient connection in connections)
        {
            connection.Measuring = measuring;
        }
    }

    // NaN where there is no perf, or it may not look.
    private static async Task<double> InstructionsAsync(LoadOptions options, CancellationToken cancel)
    {
        try
        {
            return options.ProcessId is int process
                && await InstructionCount.CountAsync(process, options.Duration, cancel) is (double user, double kernel)
                    ? user + kernel
                    : double.NaN;
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            return double.NaN;
        }
    }

    private static ProcessUsage? Usage(LoadOptions options) =>
        options.ProcessId is int id ? ProcessUsage.Read(id) : null;
}
