using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using GrayMQ.Client.Telemetry;

namespace GrayMQ.Client.Tests.Servers;

/// <summary>Listens to what clients tell about one topic.</summary>
internal sealed class ListeningTelemetry : IDisposable
{
    private readonly ActivityListener _spans;
    private readonly MeterListener _metrics = new();
    private readonly ConcurrentQueue<(string Name, double Value, KeyValuePair<string, object?>[] Tags)> _measured = new();

    public ListeningTelemetry(string topic)
    {
        _spans = new ActivityListener
        {
            ShouldListenTo = source => source.Name == ClientTelemetry.Name,
            Sample = (ref creation) => IsOf(topic, creation.Tags) ? ActivitySamplingResult.AllData : ActivitySamplingResult.None,
            ActivityStopped = Spans.Enqueue,
        };
        ActivitySource.AddActivityListener(_spans);
        _metrics.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == ClientTelemetry.Name)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _metrics.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Measure(instrument.Name, value, tags.ToArray()));
        _metrics.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Measure(instrument.Name, value, tags.ToArray()));
        _metrics.Start();

        void Measure(string name, double value, KeyValuePair<string, object?>[] tags)
        {
            if (IsOf(topic, tags))
            {
                _measured.Enqueue((name, value, tags));
            }
        }
    }

    /// <summary>Those that have ended.</summary>
    public ConcurrentQueue<Activity> Spans { get; } = new();

    /// <summary>The sum of what was measured with these tags among others.</summary>
    public double Sum(string instrument, params (string Name, string Value)[] tags) => Of(instrument, tags).Sum();

    /// <summary>How often something was measured with these tags among others.</summary>
    public int Count(string instrument, params (string Name, string Value)[] tags) => Of(instrument, tags).Count();

    public void Dispose()
    {
        _spans.Dispose();
        _metrics.Dispose();
    }

    private IEnumerable<double> Of(string instrument, (string Name, string Value)[] tags) => _measured
        .Where(measured => measured.Name == instrument
            && tags.All(tag => measured.Tags.Any(found => found.Key == tag.Name && (string?)found.Value == tag.Value)))
        .Select(measured => measured.Value);

    private static bool IsOf(string topic, IEnumerable<KeyValuePair<string, object?>>? tags) =>
        tags?.Any(tag => tag.Key == "messaging.destination.name" && (string?)tag.Value == topic) == true;
}
