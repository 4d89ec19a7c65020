namespace GrayMQ.Chaos.Rolling;

/// <summary>How a rolling restart is run.</summary>
internal sealed record RollingOptions
{
    /// <summary>The graymq command.</summary>
    public required string Command { get; init; }

    /// <summary>Whether servers leave before they stop; otherwise they stop at once.</summary>
    public required bool Drains { get; init; }

    /// <summary>How often clients ask for the route; 30 s for stock clients.</summary>
    public required TimeSpan RoutePoll { get; init; }

    /// <summary>The time in which a broker that is back takes its whole share; 150 s unless told otherwise.</summary>
    public required TimeSpan Warmup { get; init; }

    /// <summary>What each producer rests between two sends.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>The time that a send may take with all its tries; 3 s for stock producers.</summary>
    public required TimeSpan SendTimeout { get; init; }

    /// <summary>Whether ali-ons of npm takes part.</summary>
    public required bool AliOns { get; init; }

    /// <summary>Whether rocketmq-client-nodejs of npm takes part, which speaks gRPC.</summary>
    public required bool Grpc { get; init; }

    /// <summary>Whether HAProxy stands before each broker.</summary>
    public bool HAProxy { get; init; }

    /// <summary>Whether, instead of restarts, one broker leaves for good; without topics that cannot move.</summary>
    public bool ScaleIn { get; init; }

    /// <summary>Whether name servers have their turn after the brokers.</summary>
    public bool NameServers { get; init; } = true;

    /// <summary>The time that clients are left to themselves at the beginning, between two restarts, and at the end.</summary>
    public TimeSpan Calm { get; init; } = TimeSpan.FromSeconds(3);
}
