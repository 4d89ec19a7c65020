using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace GrayMQ.Client.Telemetry;

/// <summary>
/// What producers and consumers tell about their work, under the names that OpenTelemetry's conventions for messaging have: spans by
/// <see cref="ActivitySource"/>, metrics by <see cref="Meter"/>. Nobody who listens, nothing that is done for it.
/// </summary>
public static class ClientTelemetry
{
    /// <summary>The name of the activity source and of the meter: <c>AddSource(ClientTelemetry.Name)</c>, <c>AddMeter(ClientTelemetry.Name)</c>.</summary>
    public const string Name = "GrayMQ.Client";

    private static readonly string? Version = typeof(ClientTelemetry).Assembly.GetName().Version?.ToString(3);

    private static readonly Meter Meter = new(Name, Version);

    // Seconds, as the conventions advise; the bounds of milliseconds that histograms have otherwise would put nearly all into the first.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    };

    internal static ActivitySource Source { get; } = new(Name, Version);

    internal static Histogram<double> OperationDuration { get; } = Meter.CreateHistogram(
        "messaging.client.operation.duration", "s", "Duration of sends, with all their attempts, and of receives", tags: null, advice: Seconds);

    internal static Counter<long> SentMessages { get; } =
        Meter.CreateCounter<long>("messaging.client.sent.messages", "{message}", "Messages that brokers were asked to store");

    internal static Counter<long> ConsumedMessages { get; } =
        Meter.CreateCounter<long>("messaging.client.consumed.messages", "{message}", "Messages that were handed to the application");

    internal static Histogram<double> ProcessDuration { get; } = Meter.CreateHistogram(
        "messaging.process.duration", "s", "Duration of the application's handler", tags: null, advice: Seconds);
}
