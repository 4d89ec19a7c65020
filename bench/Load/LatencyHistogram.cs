using System.Numerics;

namespace GrayMQ.Load;

/// <summary>
/// Counts durations in buckets whose width grows with the value, 64 to each doubling: a percentile is right to about 1.6 %. Each
/// thread or connection has its own; they are added up at the end.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 6;
    private const int Sub = 1 << SubBits;
    private const int Buckets = (64 - SubBits + 1) * Sub;

    private readonly long[] _counts = new long[Buckets];

    public long Count { get; private set; }

    public void Add(long nanoseconds)
    {
        _counts[Index((ulong)Math.Max(0, nanoseconds))]++;
        Count++;
    }

    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < Buckets; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
    }

    /// <summary>The duration, in milliseconds, that a share of all durations does not exceed.</summary>
    public double PercentileMs(double share)
    {
        long rank = (long)Math.Ceiling(Count * share);
        for (int i = 0; i < Buckets; i++)
        {
            rank -= _counts[i];
            if (rank <= 0)
            {
                return Value(i) / 1e6;
            }
        }

        return 0;
    }

    private static int Index(ulong value)
    {
        if (value < Sub)
        {
            return (int)value;
        }

        int shift = BitOperations.Log2(value) - SubBits;
        return ((shift + 1) << SubBits) + (int)((value >> shift) & (Sub - 1));
    }

    private static double Value(int index)
    {
        int shift = (index >> SubBits) - 1;
        return shift < 0 ? index : (double)(((ulong)(index & (Sub - 1)) | Sub) << shift);
    }
}
