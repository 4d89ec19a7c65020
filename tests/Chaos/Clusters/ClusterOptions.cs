namespace GrayMQ.Chaos.Clusters;

/// <summary>What a cluster under test is made of.</summary>
internal sealed record ClusterOptions
{
    /// <summary>The graymq command.</summary>
    public required string Command { get; init; }

    public int Brokers { get; init; } = 3;

    public int NameServers { get; init; } = 2;

    /// <summary>Settings of each broker as <c>key=value</c>.</summary>
    public IReadOnlyList<string> BrokerSettings { get; init; } = [];

    /// <summary>Settings of each name server as <c>key=value</c>.</summary>
    public IReadOnlyList<string> NameServerSettings { get; init; } = [];

    /// <summary>The size of a file of a broker's commit log.</summary>
    public int CommitLogFileBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Where data and what each server writes are kept; null for a folder that goes with the cluster.</summary>
    public string? Folder { get; init; }

    /// <summary>Whether the sockets that brokers listen with outlive their processes, as those of a systemd unit do.</summary>
    public bool KeepsSockets { get; init; }

    /// <summary>Where clients find the brokers: the ports are the same there. Something else than 127.0.0.1 is a load balancer's.</summary>
    public string Host { get; init; } = "127.0.0.1";
}
