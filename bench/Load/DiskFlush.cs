using System.Diagnostics;
using System.Globalization;

namespace GrayMQ.Load;

/// <summary>How often the disk itself makes a write durable: what SYNC_FLUSH is bound by.</summary>
internal static class DiskFlush
{
    private const int FileBytes = 256 * 1024 * 1024;

    /// <summary>Writes and flushes blocks one after the other into a file of its own, allocated beforehand like a commit log.</summary>
    public static void Run(string directory, int blockBytes, TimeSpan duration)
    {
        string path = Path.Combine(directory, $"graymq-flush-{Environment.ProcessId}");
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(
            path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose, FileBytes);
        byte[] block = new byte[blockBytes];
        var latency = new LatencyHistogram();
        long started = Stopwatch.GetTimestamp();
        long offset = 0;
        while (Stopwatch.GetElapsedTime(started) < duration)
        {
            long before = Stopwatch.GetTimestamp();
            RandomAccess.Write(file, block, offset);
            RandomAccess.FlushToDisk(file);
            latency.Add((long)Stopwatch.GetElapsedTime(before).TotalNanoseconds);
            offset = (offset + blockBytes) % (FileBytes - blockBytes);
        }

        double perSecond = latency.Count / Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{perSecond:F0} flushes/s of {blockBytes} bytes, p50 {latency.PercentileMs(0.5):F3} ms, p99 {latency.PercentileMs(0.99):F3} ms"));
    }
}
