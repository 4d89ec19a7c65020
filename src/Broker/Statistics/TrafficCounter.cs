using System.Numerics;
using System.Runtime.InteropServices;

namespace GrayMQ.Broker.Statistics;

/// <summary>Counts what goes by, from any thread, and keeps its recent history.</summary>
public sealed class TrafficCounter
{
    // Of many processors some share one.
    private const int MostCells = 4;

    private static readonly int CellMask = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(Environment.ProcessorCount, MostCells)) - 1;

    private readonly TrafficHistory _history;
    private readonly Cell[] _cells = new Cell[CellMask + 1];

    internal TrafficCounter(long nowMs) => _history = new TrafficHistory(nowMs);

    /// <summary>All since this counter was made.</summary>
    public Traffic Total
    {
        get
        {
            Traffic total = default;
            for (int i = 0; i < _cells.Length; i++)
            {
                ref Cell cell = ref _cells[i];
                total += new Traffic(Volatile.Read(ref cell.Messages), Volatile.Read(ref cell.Bytes), Volatile.Read(ref cell.Requests));
            }

            return total;
        }
    }

    internal void Add(int messages, long bytes, int requests = 1)
    {
        ref Cell cell = ref _cells[Thread.GetCurrentProcessorId() & CellMask];
        Interlocked.Add(ref cell.Messages, messages);
        Interlocked.Add(ref cell.Bytes, bytes);
        Interlocked.Add(ref cell.Requests, requests);
    }

    internal void Sample(long tick, long nowMs) => _history.Sample(tick, nowMs, Total);

    internal RecentTraffic Recent(long nowMs) => _history.Recent(nowMs, Total);

    // Processors that count do not pass a cache line back and forth: each has one, where nothing else is on it.
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Cell
    {
        [FieldOffset(64)]
        public long Messages;

        [FieldOffset(72)]
        public long Bytes;

        [FieldOffset(80)]
        public long Requests;
    }
}
