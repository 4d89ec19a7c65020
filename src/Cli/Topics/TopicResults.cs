namespace GrayMQ.Cli.Topics;

/// <summary>The result of <c>topic list</c>.</summary>
internal sealed record TopicListing(IReadOnlyList<TopicSummary> Topics);

/// <param name="Kind">normal, retry, deadLetter or system.</param>
internal sealed record TopicSummary(string Topic, string Kind, IReadOnlyList<TopicAtBroker> Brokers);

/// <param name="Permission">R, W and X, or - in their places.</param>
/// <param name="Attributes">For instance message.type.</param>
internal sealed record TopicAtBroker(
    string Cluster,
    string Broker,
    int ReadQueues,
    int WriteQueues,
    string Permission,
    bool Order,
    IReadOnlyDictionary<string, string> Attributes);

/// <summary>The result of <c>topic route</c>.</summary>
/// <param name="OrderConfiguration">broker:queues;broker:queues of an ordered topic; null for others.</param>
internal sealed record TopicRoute(string Topic, string? OrderConfiguration, IReadOnlyList<RouteAtBroker> Brokers);

/// <param name="Addresses">By broker id; 0 is the master.</param>
internal sealed record RouteAtBroker(
    string Cluster, string Broker, IReadOnlyDictionary<string, string> Addresses, int ReadQueues, int WriteQueues, string Permission);

/// <summary>The result of <c>topic create</c> and <c>topic delete</c>.</summary>
/// <param name="Change">created, updated or deleted.</param>
/// <param name="Brokers">Where.</param>
internal sealed record TopicChange(string Topic, string Change, IReadOnlyList<string> Brokers);
