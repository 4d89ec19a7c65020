namespace GrayMQ.Cli.Timers;

/// <summary>The result of <c>timer show</c>.</summary>
/// <param name="Total">Pending messages of all brokers.</param>
internal sealed record TimerListing(long Total, IReadOnlyList<TimersOfBroker> Brokers);

/// <param name="NextDueMs">When the first one is due; null when nothing is pending.</param>
/// <param name="LagMs">How long the first one has been due already; 0 when delivery is not behind.</param>
/// <param name="Delivered">Messages delivered since the broker's start.</param>
internal sealed record TimersOfBroker(
    string Broker,
    long Total,
    long? NextDueMs,
    long LagMs,
    long Delivered,
    IReadOnlyList<PendingOfLevel> Levels,
    IReadOnlyList<PendingOfTopic> Topics);

/// <param name="Level">Delay level; 0 for messages with a time of their own.</param>
internal sealed record PendingOfLevel(int Level, long Pending);

internal sealed record PendingOfTopic(string Topic, long Pending);
