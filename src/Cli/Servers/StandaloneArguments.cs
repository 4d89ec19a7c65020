namespace GrayMQ.Cli.Servers;

/// <summary>What was written after <c>graymq standalone</c>, and around it. Null stands for what was left out.</summary>
internal sealed record StandaloneArguments
{
    public required string? Store { get; init; }

    public required string? NameServerPort { get; init; }

    public required string? BrokerPort { get; init; }

    public required string? HttpPort { get; init; }

    /// <summary>A broker.conf.</summary>
    public required string? BrokerFile { get; init; }

    /// <summary>A namesrv.conf.</summary>
    public required string? NameServerFile { get; init; }

    /// <summary>Every --set.</summary>
    public required IReadOnlyList<string> Assignments { get; init; }

    /// <summary>The environment.</summary>
    public required IReadOnlyDictionary<string, string> Variables { get; init; }
}
