using GrayMQ.Protocol.Bodies;

namespace GrayMQ.NameServer.Routes;

/// <summary>What a node says when it registers.</summary>
/// <param name="Node">Who registers.</param>
/// <param name="BrokerName">The name it serves under, with its replicas.</param>
/// <param name="BrokerId">0 is the master.</param>
/// <param name="HaAddress">Where slaves copy from.</param>
/// <param name="Zone">Where it stands, for clients that prefer what is near; null without zones.</param>
/// <param name="Timeout">Silence after which it counts as gone; null leaves it to the name server.</param>
/// <param name="EnableActingMaster">Null for brokers before RocketMQ 5, which know of no acting masters.</param>
/// <param name="Topics">Its topics and their version.</param>
/// <param name="FilterServers">Null leaves those known.</param>
/// <param name="Connection">What its life is tied to: the end of this connection is the end of the node.</param>
internal sealed record BrokerRegistration(
    BrokerIdentity Node,
    string BrokerName,
    long BrokerId,
    string HaAddress,
    string? Zone,
    TimeSpan? Timeout,
    bool? EnableActingMaster,
    TopicConfigAndMappingSerializeWrapper Topics,
    IReadOnlyList<string>? FilterServers,
    object? Connection)
{
    /// <summary>Where it answers gRPC; null for brokers that do not, or do not say.</summary>
    public string? GrpcAddress { get; init; }
}

/// <summary>What comes of a registration.</summary>
/// <param name="Refusal">Why nothing was registered; null when it was.</param>
/// <param name="MasterAddress">For a slave: its master, if that lives.</param>
/// <param name="MasterHaAddress">For a slave: where to copy from.</param>
/// <param name="Change">Whom to tell that the lowest broker id has changed; null for nobody.</param>
internal readonly record struct RegistrationResult(
    string? Refusal = null, string? MasterAddress = null, string? MasterHaAddress = null, MinBrokerIdChange? Change = null);

/// <summary>A node that leaves.</summary>
internal readonly record struct BrokerDeparture(BrokerIdentity Node, string BrokerName, long BrokerId);
