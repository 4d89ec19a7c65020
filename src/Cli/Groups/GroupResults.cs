namespace GrayMQ.Cli.Groups;

/// <summary>The result of <c>group list</c>.</summary>
internal sealed record GroupListing(IReadOnlyList<GroupSummary> Groups);

/// <param name="Clients">Consumers that are connected.</param>
/// <param name="ConsumeType">PUSH or PULL; null when nobody is connected.</param>
/// <param name="MessageModel">CLUSTERING or BROADCASTING; null when nobody is connected.</param>
/// <param name="Enabled">Whether it may consume.</param>
/// <param name="RetryMaxTimes">How often a message that failed is tried again.</param>
/// <param name="RetryQueues">Queues of the retry topic at each broker.</param>
internal sealed record GroupSummary(
    string Group,
    IReadOnlyList<string> Brokers,
    int Clients,
    string? ConsumeType,
    string? MessageModel,
    bool Enabled,
    bool BroadcastEnabled,
    int RetryMaxTimes,
    int RetryQueues);

/// <summary>The result of <c>group create</c> and <c>group delete</c>.</summary>
/// <param name="Change">created, updated or deleted.</param>
internal sealed record GroupChange(string Group, string Change, IReadOnlyList<string> Brokers);

/// <summary>The result of <c>group show</c>.</summary>
/// <param name="ConsumeType">PUSH, PULL or POP; null when nobody is connected.</param>
/// <param name="MessageModel">CLUSTERING or BROADCASTING; null when nobody is connected.</param>
/// <param name="Enabled">Whether it may consume.</param>
/// <param name="RetryMaxTimes">How often a message that failed is tried again.</param>
/// <param name="Queues">Those that it has consumed of, and those that somebody is to consume.</param>
/// <param name="Lag">Messages that it has not consumed yet; those that failed before are not among them.</param>
/// <param name="InFlight">Messages that were handed out and are not consumed yet.</param>
/// <param name="Retries">Messages that failed and wait to be consumed again.</param>
/// <param name="DeadLetters">Messages that failed too often.</param>
internal sealed record GroupDescription(
    string Group,
    IReadOnlyList<string> Brokers,
    string? ConsumeType,
    string? MessageModel,
    bool Enabled,
    int RetryMaxTimes,
    IReadOnlyList<GroupSubscription> Subscriptions,
    IReadOnlyList<GroupMember> Members,
    IReadOnlyList<GroupQueue> Queues,
    long Lag,
    long InFlight,
    long Retries,
    long DeadLetters);

/// <param name="ExpressionType">TAG or SQL92.</param>
internal sealed record GroupSubscription(string Topic, string ExpressionType, string Expression);

/// <summary>A consumer that is connected.</summary>
/// <param name="Version">RocketMQ: ordinal of MQVersion.Version.</param>
/// <param name="Queues">How many it is to consume, retry topics included; null when it did not tell.</param>
internal sealed record GroupMember(string ClientId, string? Address, string? Language, int Version, int? Queues);

/// <param name="ClientIds">Who is to consume it: one at most, or any number of those that pop.</param>
/// <param name="BrokerOffset">The offset that the queue's next message will get; null when nothing was consumed of it yet.</param>
/// <param name="ConsumerOffset">Where the group goes on; null when it has not begun.</param>
/// <param name="LastConsumedTimestampMs">When the message before that was stored, milliseconds since 1970; null when it is not known.</param>
internal sealed record GroupQueue(
    string Topic,
    string Broker,
    int Queue,
    IReadOnlyList<string> ClientIds,
    long? BrokerOffset,
    long? ConsumerOffset,
    long? Lag,
    long? InFlight,
    long? LastConsumedTimestampMs);
