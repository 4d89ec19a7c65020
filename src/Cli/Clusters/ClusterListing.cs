namespace GrayMQ.Cli.Clusters;

/// <summary>The result of <c>cluster list</c>.</summary>
internal sealed record ClusterListing(IReadOnlyList<BrokerStatus> Brokers);

/// <summary>A broker and how it is.</summary>
/// <param name="Role">master or slave.</param>
/// <param name="Reachable">Whether it answered.</param>
/// <param name="Version">In the broker's own words; null when it did not answer.</param>
/// <param name="MessagesInPerSecond">Over the last ten seconds, as the broker counts.</param>
/// <param name="MessagesOutPerSecond">Over the last ten seconds.</param>
/// <param name="Error">Why it did not answer.</param>
internal sealed record BrokerStatus(
    string Cluster,
    string Broker,
    long Id,
    string Role,
    string Address,
    bool Reachable,
    string? Version,
    double? MessagesInPerSecond,
    double? MessagesOutPerSecond,
    string? Error);
