namespace GrayMQ.Cli.Offsets;

/// <summary>The result of <c>offset show</c>.</summary>
/// <param name="Lag">Messages that the group has not consumed yet, over all queues.</param>
internal sealed record OffsetListing(string Group, long Lag, IReadOnlyList<QueueProgress> Queues);

/// <param name="BrokerOffset">The offset that the queue's next message will get.</param>
/// <param name="ConsumerOffset">Where the group goes on; -1 when it has not begun.</param>
/// <param name="LastConsumedTimestampMs">When the message before that was stored, milliseconds since 1970; 0 when it is not known.</param>
internal sealed record QueueProgress(
    string Topic, string Broker, int Queue, long BrokerOffset, long ConsumerOffset, long Lag, long LastConsumedTimestampMs);

/// <summary>The result of <c>offset reset</c>.</summary>
/// <param name="DryRun">Whether nothing was changed.</param>
internal sealed record OffsetReset(string Group, string Topic, bool DryRun, IReadOnlyList<QueueReset> Queues);

/// <param name="From">Where the group would have gone on; -1 when it had not begun.</param>
/// <param name="To">Where it goes on.</param>
internal sealed record QueueReset(string Broker, int Queue, long From, long To);
