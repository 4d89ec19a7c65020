namespace GrayMQ.Chaos.Rolling;

/// <summary>What all clients of a run have in common.</summary>
internal sealed record LoadSettings
{
    public required IReadOnlyList<string> NameServers { get; init; }

    /// <summary>How often the route is asked for; 30 s for stock clients.</summary>
    public required TimeSpan RoutePoll { get; init; }

    /// <summary>How often offsets are committed; 5 s for stock clients.</summary>
    public required TimeSpan CommitInterval { get; init; }

    /// <summary>The time that a send may take with all its tries; 3 s for stock producers.</summary>
    public required TimeSpan SendTimeout { get; init; }

    /// <summary>Between two sends of one producer.</summary>
    public required TimeSpan Pause { get; init; }

    /// <summary>Where gRPC clients ask for routes: one broker's address, since rocketmq-client-nodejs resolves no list of them.</summary>
    public required string GrpcEndpoint { get; init; }

    public string NameServerList => string.Join(';', NameServers);
}
