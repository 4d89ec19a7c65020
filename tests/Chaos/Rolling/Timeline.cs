using System.Collections.Concurrent;
using System.Diagnostics;

namespace GrayMQ.Chaos.Rolling;

/// <summary>What happened when, in slots of equal length: sends that failed, the slowest send, messages that a group was given.</summary>
internal sealed class Timeline
{
    /// <summary>The length of a slot.</summary>
    public static readonly TimeSpan Slot = TimeSpan.FromMilliseconds(500);

    private readonly long _begun = Stopwatch.GetTimestamp();
    private readonly ConcurrentDictionary<(string Series, int Slot), double> _values = new();
    private readonly List<(double From, double To)> _bands = [];

    public double Seconds => Stopwatch.GetElapsedTime(_begun).TotalSeconds;

    /// <summary>When somebody did something to the cluster.</summary>
    public IReadOnlyList<(double From, double To)> Bands => _bands;

    /// <summary>Says what is done now.</summary>
    public void Say(string what) => Console.WriteLine($"{Seconds,7:F1} s  {what}");

    /// <summary>What was begun then is over.</summary>
    public void EndBand(double from) => _bands.Add((from, Seconds));

    public void Add(string series, double value) => _values.AddOrUpdate((series, Now), value, (_, before) => before + value);

    public void Most(string series, double value) => _values.AddOrUpdate((series, Now), value, (_, before) => Math.Max(before, value));

    /// <summary>The values of a series by time, 0 where there is none, up to now.</summary>
    public IReadOnlyList<(double Seconds, double Value)> Of(string series) =>
    [
        .. Enumerable.Range(0, Now + 1).Select(slot => (slot * Slot.TotalSeconds, _values.GetValueOrDefault((series, slot)))),
    ];

    private int Now => (int)(Stopwatch.GetElapsedTime(_begun) / Slot);
}
