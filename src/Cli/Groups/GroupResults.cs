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
