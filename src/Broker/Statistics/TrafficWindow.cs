namespace GrayMQ.Broker.Statistics;

/// <summary>
/// What went by lately: totals are sampled at a fixed interval, and the newest of them less the oldest is the sum over the window.
/// Until the window is full it begins with the first count. One thread at a time.
/// </summary>
internal sealed class TrafficWindow
{
    private readonly Sample[] _samples;
    private int _oldest;
    private int _count;

    /// <param name="intervals">How many intervals the window spans.</param>
    public TrafficWindow(int intervals, long nowMs)
    {
        _samples = new Sample[intervals + 1];
        _samples[0] = new Sample(nowMs, default);
        _count = 1;
    }

    public void Add(long nowMs, Traffic total)
    {
        if (_count < _samples.Length)
        {
            _samples[_count++] = new Sample(nowMs, total);
        }
        else
        {
            _samples[_oldest] = new Sample(nowMs, total);
            _oldest = (_oldest + 1) % _samples.Length;
        }
    }

    /// <param name="total">The total by now: counts when the window is not full yet.</param>
    public TrafficInSpan Sum(long nowMs, Traffic total)
    {
        Sample first = _samples[_oldest];
        Sample last = _count < _samples.Length
            ? new Sample(nowMs, total)
            : _samples[(_oldest + _count - 1) % _samples.Length];

        // The first messages of all are not a rate of thousands per second.
        long spanMs = Math.Max(last.TimestampMs - first.TimestampMs, (long)TrafficHistory.Interval.TotalMilliseconds);
        return new TrafficInSpan(last.Total - first.Total, TimeSpan.FromMilliseconds(spanMs));
    }

    private readonly record struct Sample(long TimestampMs, Traffic Total);
}
