using GrayMQ.Broker.Configuration;

namespace GrayMQ.Broker.Registration;

/// <summary>What this broker says of itself at the name servers.</summary>
internal sealed record RegistrationOptions
{
    /// <summary>Name servers; none runs the broker without registration (RocketMQ: namesrvAddr).</summary>
    public required IReadOnlyList<string> NameServers { get; init; }

    public required string ClusterName { get; init; }

    public required string BrokerName { get; init; }

    public required long BrokerId { get; init; }

    /// <summary>Where clients reach this broker.</summary>
    public required string BrokerAddress { get; init; }

    /// <summary>Where a replica would reach it (RocketMQ: brokerIP2 and haListenPort); part of the protocol, nothing listens there.</summary>
    public required string HaServerAddress { get; init; }

    /// <summary>Where clients reach it by gRPC; null where they do not. RocketMQ's name servers pass it over.</summary>
    public string? GrpcAddress { get; init; }

    /// <summary>How often it registers when nothing changes (RocketMQ: registerNameServerPeriod).</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>How long a name server may take (RocketMQ: registerBrokerTimeoutMills).</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>RocketMQ: compressedRegister.</summary>
    public required bool Compress { get; init; }

    /// <summary>How long a name server keeps this broker without hearing of it (RocketMQ: brokerNotActiveTimeoutMillis).</summary>
    public required TimeSpan NotActiveTimeout { get; init; }

    /// <summary>RocketMQ: brokerPermission; narrows what is registered of each topic.</summary>
    public required LiveSetting<int> BrokerPermission { get; init; }
}
