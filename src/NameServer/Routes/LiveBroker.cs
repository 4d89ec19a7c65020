using GrayMQ.Protocol.Bodies;

namespace GrayMQ.NameServer.Routes;

/// <summary>A registered node's signs of life. Guarded by the lock of <see cref="RouteState"/>.</summary>
internal sealed class LiveBroker
{
    public required string BrokerName { get; init; }

    public required long BrokerId { get; init; }

    /// <summary>When it was last heard of, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public required long HeardAt { get; set; }

    /// <summary>Silence after which it counts as gone; null leaves it to the name server.</summary>
    public required TimeSpan? Timeout { get; set; }

    /// <summary>The version of the topics that it registered.</summary>
    public required DataVersion Version { get; init; }

    /// <summary>The connection that it registered by; null once that has ended and the node is expected back.</summary>
    public required object? Connection { get; set; }

    public required string HaAddress { get; init; }

    public required IReadOnlyList<string> FilterServers { get; init; }
}
