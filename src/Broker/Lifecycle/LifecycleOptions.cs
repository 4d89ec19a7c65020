namespace GrayMQ.Broker.Lifecycle;

/// <summary>How a broker leaves and comes.</summary>
internal sealed record LifecycleOptions
{
    public required IReadOnlyList<string> NameServers { get; init; }

    public required string ClusterName { get; init; }

    public required string BrokerName { get; init; }

    /// <summary>Where clients reach this broker.</summary>
    public required string BrokerAddress { get; init; }

    /// <summary>So long without a send that could go elsewhere, after the routes have been told, and it is quiet.</summary>
    public required TimeSpan Quiet { get; init; }

    /// <summary>Sends are served no longer than this.</summary>
    public required TimeSpan MaxDrain { get; init; }

    /// <summary>The time for consumers to commit and acknowledge what they have been given.</summary>
    public required TimeSpan Consumers { get; init; }

    /// <summary>How long name servers keep the route of a broker that restarts.</summary>
    public required TimeSpan Return { get; init; }

    /// <summary>How long a broker that does not come back stays up after its route has gone.</summary>
    public required TimeSpan Linger { get; init; }

    /// <summary>Waits so long between the opening of its ports and its registration.</summary>
    public required TimeSpan RegistrationDelay { get; init; }

    /// <summary>How it takes its share once it has come.</summary>
    public required WarmupOptions Warmup { get; init; }

    /// <summary>Codes of requests that are sends and count for nothing.</summary>
    public required IReadOnlyList<int> ProbeCodes { get; init; }

    /// <summary>Topics to which sends count for nothing.</summary>
    public required IReadOnlyList<string> ProbeTopics { get; init; }

    /// <summary>A file that is there while the broker is ready; null for none.</summary>
    public string? StatusFile { get; init; }

    /// <summary>As these, but without a warm-up.</summary>
    public LifecycleOptions WithWholeShare() => this with { Warmup = Warmup with { Curve = Warmup.Curve with { Duration = TimeSpan.Zero } } };
}
