using System.Diagnostics;

namespace GrayMQ.Chaos.Warmups;

/// <summary>A broker's part of the sends from its first one on.</summary>
internal sealed class ShareByTime
{
    // Between one poll and the next a producer does not know better; over so long most have asked.
    private const int SmoothSeconds = 5;

    private readonly SendSample[] _own;
    private readonly long _first;

    public ShareByTime(string broker, SendSample[] samples)
    {
        _own = [.. samples.Where(sample => sample.Broker == broker).OrderBy(sample => sample.Begun)];
        _first = _own.Length > 0 ? _own[0].Begun : 0;
        Seconds =
        [
            .. samples.Where(sample => sample.Begun >= _first)
                .GroupBy(sample => (int)Stopwatch.GetElapsedTime(_first, sample.Begun).TotalSeconds)
                .OrderBy(second => second.Key)
                .Select(second => (TimeSpan.FromSeconds(second.Key + 0.5), second.Count(sample => sample.Broker == broker) / (double)second.Count())),
        ];
    }

    /// <summary>The part of the sends in each second, 0 to 1.</summary>
    public IReadOnlyList<(TimeSpan At, double Share)> Seconds { get; }

    /// <summary>How long the sends of the beginning took.</summary>
    public TimeSpan[] FirstLatencies(TimeSpan length) =>
        [.. _own.TakeWhile(sample => Stopwatch.GetElapsedTime(_first, sample.Begun) < length).Select(sample => sample.Took)];

    /// <summary>How far the part is from a curve at most, over some seconds each.</summary>
    public double GreatestDistance(Func<TimeSpan, double> curve) => Seconds.Chunk(SmoothSeconds)
        .Max(seconds => Math.Abs(seconds.Average(second => second.Share) - seconds.Average(second => curve(second.At))));
}
