namespace GrayMQ.Broker.Lifecycle;

/// <summary>How a broker that has come takes its share.</summary>
internal sealed record WarmupOptions
{
    public required WarmupCurve Curve { get; init; }

    /// <summary>Whether the broker is ready only once it is warm.</summary>
    public required bool ReadyWhenWarm { get; init; }

    /// <summary>So much of the end of the log is brought into memory before the ports open.</summary>
    public required long TailBytes { get; init; }

    /// <summary>How long the code that serves clients is exercised before the ports open; zero leaves it out.</summary>
    public required TimeSpan Rehearsal { get; init; }
}
