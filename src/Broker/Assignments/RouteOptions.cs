namespace GrayMQ.Broker.Assignments;

/// <summary>Where routes come from.</summary>
internal sealed record RouteOptions
{
    public required string BrokerName { get; init; }

    /// <summary>None: this broker's own queues are all there are.</summary>
    public required IReadOnlyList<string> NameServers { get; init; }

    /// <summary>RocketMQ: loadBalancePollNameServerInterval.</summary>
    public required TimeSpan RefreshPeriod { get; init; }
}
