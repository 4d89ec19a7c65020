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
    private readonly ConcurrentQueue<(double Seconds, string What)> _marks = new();

    public double Seconds => Stopwatch.GetElapsedTime(_begun).TotalSeconds;

    /// <summary>What somebody did to the cluster, and when.</summary>
    public IReadOnlyList<(double Seconds, string What)> Marks => [.. _marks];

    public void Mark(string what)
    {
        _marks.Enqueue((Seconds, what));
        Console.WriteLine($"{Seconds,7:F1} s  {what}");
    }

    public void Add(string series, double value) => _values.AddOrUpdate((series, Now), value, (_, before) => before + value);

    public void Most(string series, double value) => _values.AddOrUpdate((series, Now), value, (_, before) => Math.Max(before, value));

    /// <summary>The values of a series by time, 0 where there is none, up to now.</summary>
    public IReadOnlyList<(double Seconds, double Value)> Of(string series) =>
    [
        .. Enumerable.Range(0, Now + 1).Select(slot => (slot * Slot.TotalSeconds, _values.GetValueOrDefault((series, slot)))),
    ];

    private int Now => (int)(Stopwatch.GetElapsedTime(_begun) / Slot);
}
