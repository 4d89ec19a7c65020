using System.Runtime.InteropServices;

namespace GrayMQ.Broker.Statistics;

/// <summary>Counts what goes by, from any thread, and keeps its recent history.</summary>
public sealed class TrafficCounter
{
    private readonly TrafficHistory _history;
    private Cells _cells;

    internal TrafficCounter(long nowMs) => _history = new TrafficHistory(nowMs);

    /// <summary>All since this counter was made.</summary>
    public Traffic Total => new(
        Volatile.Read(ref _cells.Messages), Volatile.Read(ref _cells.Bytes), Volatile.Read(ref _cells.Requests));

    internal void Add(int messages, long bytes)
    {
        Interlocked.Add(ref _cells.Messages, messages);
        Interlocked.Add(ref _cells.Bytes, bytes);
        Interlocked.Increment(ref _cells.Requests);
    }

    internal void Sample(long tick, long nowMs) => _history.Sample(tick, nowMs, Total);

    internal RecentTraffic Recent(long nowMs) => _history.Recent(nowMs, Total);

    // The three are written together and share a cache line that nothing else is on.
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct Cells
    {
        [FieldOffset(64)]
        public long Messages;

        [FieldOffset(72)]
        public long Bytes;

        [FieldOffset(80)]
        public long Requests;
    }
}
