namespace GrayMQ.Client.Consumers.Dispatch;

/// <summary>Counts events and adds up a value of each over the last minute, second by second.</summary>
internal sealed class RateWindow(TimeProvider time)
{
    private const int Seconds = 60;

    private readonly Lock _lock = new();
    private readonly long[] _counts = new long[Seconds];
    private readonly double[] _sums = new double[Seconds];
    private readonly long[] _seconds = new long[Seconds];

    public void Add(long count, double sum = 0)
    {
        long second = NowSeconds();
        int slot = (int)(second % Seconds);
        lock (_lock)
        {
            if (_seconds[slot] != second)
            {
                _seconds[slot] = second;
                _counts[slot] = 0;
                _sums[slot] = 0;
            }

            _counts[slot] += count;
            _sums[slot] += sum;
        }
    }

    /// <summary>Events of the last minute, their number per second, and the average of their values.</summary>
    public (long Count, double PerSecond, double Average) Read()
    {
        long oldest = NowSeconds() - Seconds;
        long count = 0;
        double sum = 0;
        lock (_lock)
        {
            for (int i = 0; i < Seconds; i++)
            {
                if (_seconds[i] > oldest)
                {
                    count += _counts[i];
                    sum += _sums[i];
                }
            }
        }

        return (count, (double)count / Seconds, count == 0 ? 0 : sum / count);
    }

    private long NowSeconds() => time.GetTimestamp() / time.TimestampFrequency;
}
