using GrayMQ.Protocol.Bodies;

namespace GrayMQ.NameServer.Routes;

/// <summary>A registered node's signs of life. Guarded by the <see cref="RouteTable"/>.</summary>
internal sealed class LiveBroker
{
    public required string BrokerName { get; init; }

    public required long BrokerId { get; init; }

    /// <summary>When it was last heard of, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public required long HeardAt { get; set; }

    /// <summary>Silence after which it counts as gone; null leaves it to the name server.</summary>
    public required TimeSpan? Timeout { get; init; }

    /// <summary>The version of the topics that it registered.</summary>
    public required DataVersion Version { get; init; }

    public required object? Connection { get; init; }

    public required string HaAddress { get; init; }

    public required IReadOnlyList<string> FilterServers { get; init; }
}
