using System.Collections.Concurrent;
using System.Diagnostics;

namespace GrayMQ.Chaos.Rolling;

/// <summary>What was sent to a topic: what was acknowledged, what failed, what must never be delivered.</summary>
/// <param name="topic">The topic.</param>
/// <param name="timeline">Where failures and latencies are drawn.</param>
internal sealed class SendRecord(string topic, Timeline timeline)
{
    /// <summary>The series of sends that failed, and of the slowest send in milliseconds.</summary>
    public const string FailedSeries = "failed";

    /// <inheritdoc cref="FailedSeries"/>
    public const string SlowestSeries = "slowest";

    private const int KeptReasons = 10;

    private readonly ConcurrentDictionary<string, bool> _acknowledged = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _rolledBack = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _reasons = new();
    private readonly Lock _gaps = new();
    private long _lastAnswer = Stopwatch.GetTimestamp();
    private long _failed;
    private long _slowestTicks;

    public string Topic => topic;

    /// <summary>Messages that have to be delivered.</summary>
    public ICollection<string> Acknowledged => _acknowledged.Keys;

    public int AcknowledgedCount => _acknowledged.Count;

    public long Failed => Volatile.Read(ref _failed);

    /// <summary>The longest time without an answer to anybody since <see cref="RestartGap"/>.</summary>
    public TimeSpan LongestGap { get; private set; }

    public TimeSpan Slowest => new(Volatile.Read(ref _slowestTicks));

    /// <summary>The first failures, in words.</summary>
    public IEnumerable<string> Reasons => _reasons;

    /// <summary>Whether the message was taken back, so that nobody may see it.</summary>
    public bool IsRolledBack(string body) => _rolledBack.ContainsKey(body);

    /// <summary>A send was acknowledged: its message has to be delivered.</summary>
    /// <param name="begun">When the send began, as <see cref="Stopwatch.GetTimestamp"/> counts.</param>
    public void Acknowledge(string body, long begun)
    {
        _acknowledged[body] = true;
        Time(begun);
    }

    /// <summary>A half message was acknowledged that is to be rolled back.</summary>
    public void RollBack(string body, long begun)
    {
        _rolledBack[body] = true;
        Time(begun);
    }

    public void RestartGap()
    {
        lock (_gaps)
        {
            LongestGap = TimeSpan.Zero;
            _lastAnswer = Stopwatch.GetTimestamp();
        }
    }

    public void Fail(string who, string why, long begun)
    {
        Interlocked.Increment(ref _failed);
        timeline.Add(FailedSeries, 1);
        if (_reasons.Count < KeptReasons)
        {
            _reasons.Enqueue($"{timeline.Seconds:F1} s, after {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:F0} ms: {who}: {why}");
        }
    }

    private void Time(long begun)
    {
        TimeSpan took = Stopwatch.GetElapsedTime(begun);
        timeline.Most(SlowestSeries, took.TotalMilliseconds);
        lock (_gaps)
        {
            TimeSpan gap = Stopwatch.GetElapsedTime(_lastAnswer);
            _lastAnswer = Stopwatch.GetTimestamp();
            LongestGap = gap > LongestGap ? gap : LongestGap;
        }

        long before;
        while ((before = Volatile.Read(ref _slowestTicks)) < took.Ticks
            && Interlocked.CompareExchange(ref _slowestTicks, took.Ticks, before) != before)
        {
            // Somebody else was a moment earlier.
        }
    }
}
