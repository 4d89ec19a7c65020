namespace GrayMQ.Chaos.Warmups;

/// <summary>How the return of a broker is measured.</summary>
internal sealed record WarmupOptions
{
    /// <summary>The graymq command.</summary>
    public required string Command { get; init; }

    /// <summary>warmupMs of the brokers.</summary>
    public required TimeSpan Warmup { get; init; }

    /// <summary>warmupExponent of the brokers.</summary>
    public required double Exponent { get; init; }

    /// <summary>How often producers ask for the route; 30 s for stock ones.</summary>
    public required TimeSpan RoutePoll { get; init; }

    /// <summary>Producers; their polls are spread over the time between two.</summary>
    public required int Producers { get; init; }

    /// <summary>The time before the broker leaves, and after it is warm.</summary>
    public required TimeSpan Calm { get; init; }

    /// <summary>Where the plot goes, as SVG; null draws none.</summary>
    public string? Plot { get; init; }
}
