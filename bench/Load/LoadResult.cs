using System.Globalization;

namespace GrayMQ.Load;

/// <summary>What a run came to.</summary>
/// <param name="Messages">Sent, or received by pulls, within the measured time.</param>
/// <param name="Requests">Answered within the measured time.</param>
/// <param name="Errors">Answers that were no success.</param>
/// <param name="CpuMicroseconds">Server CPU for each message; NaN when its process is not known.</param>
/// <param name="Instructions">Of the server, for each message; NaN when they cannot be counted.</param>
/// <param name="AllocatedBytes">Server allocation for each message; NaN when it does not tell.</param>
internal sealed record LoadResult(
    string Name,
    long Messages,
    long Requests,
    long Errors,
    TimeSpan Elapsed,
    LatencyHistogram Latency,
    double CpuMicroseconds,
    double Instructions,
    double AllocatedBytes,
    long AnonymousBytes)
{
    public double PerSecond => Messages / Elapsed.TotalSeconds;

    private double PerRequest => (double)Messages / Requests;

    public static string Head => string.Create(
        CultureInfo.InvariantCulture,
        $"{"run",-28} {"messages/s",12} {"msg/req",8} {"p50 ms",8} {"p99 ms",8} {"p99.9 ms",8} {"CPU us/msg",11} {"instr/msg",10} {"alloc B/msg",12} {"anon MB",8} {"errors",7}");

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name,-28} {PerSecond,12:F0} {PerRequest,8:F1} {Latency.PercentileMs(0.5),8:F3} {Latency.PercentileMs(0.99),8:F3} {Latency.PercentileMs(0.999),8:F3} {CpuMicroseconds,11:F2} {Instructions,10:F0} {AllocatedBytes,12:F1} {AnonymousBytes / 1e6,8:F0} {Errors,7}");
}
