using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Routes;

/// <summary>
/// Which nodes live, under which broker names and clusters, and which topics have queues there (RocketMQ: RouteInfoManager).
/// One lock guards it all, so that whoever holds it sees names that have nodes, and topics with queues at such names only.
/// </summary>
internal sealed class RouteState(TimeProvider time, ILogger logger)
{
    /// <summary>Held to read or change any part, but for what the parts themselves say.</summary>
    public Lock Lock { get; } = new();

    public BrokerGroups Groups { get; } = new();

    public LiveBrokers Live { get; } = new(time);

    public TopicRoutes Topics { get; } = new(logger);
}
