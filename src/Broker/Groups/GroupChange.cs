using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Groups;

/// <summary>What happened to the consumer groups, after it is on disk.</summary>
/// <param name="Put">Groups that were created or updated.</param>
/// <param name="Deleted">Names of groups that are gone.</param>
/// <param name="Version">The table's version after the change.</param>
public sealed record GroupChange(
    IReadOnlyList<SubscriptionGroupConfig> Put, IReadOnlyList<string> Deleted, DataVersion Version);
