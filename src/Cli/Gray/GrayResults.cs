namespace GrayMQ.Cli.Gray;

/// <summary>The result of a command that changes the gray state.</summary>
/// <param name="Version">The version that it made, or found when there was nothing to do.</param>
/// <param name="Summary">What came of it.</param>
internal sealed record GrayChangeResult(string Epoch, long Version, string Summary);

/// <summary>The result of <c>gray rule list</c>.</summary>
internal sealed record GrayRuleListing(string Group, long Generation, IReadOnlyList<GrayRuleView> Rules);

/// <param name="Kind">clientId or address.</param>
internal sealed record GrayRuleView(string Kind, string Pattern);

/// <summary>The result of <c>gray history</c>.</summary>
internal sealed record GrayHistoryListing(IReadOnlyList<GrayHistoryView> Entries);

/// <param name="Command">As it was given, JSON.</param>
internal sealed record GrayHistoryView(
    long Version, string Epoch, long AtMs, string Operator, string From, string Subject, string Summary, string Command);

/// <summary>The result of <c>gray status</c>.</summary>
/// <param name="Version">-1 when the name server knows no state: nothing was ever gray, or its database is away.</param>
/// <param name="DatabaseProblem">Null when the state can be changed.</param>
internal sealed record GrayStatusView(
    string Epoch,
    long Version,
    string? DatabaseProblem,
    IReadOnlyList<GrayTopicView> Topics,
    IReadOnlyList<GrayReleaseView> Releases,
    IReadOnlyList<GrayPartView> Changes,
    IReadOnlyList<GrayClientView> Clients,
    IReadOnlyList<GrayQueueView> Queues,
    IReadOnlyList<GrayGivenUpView> GivenUp,
    IReadOnlyList<GrayBrokerView> Brokers,
    IReadOnlyList<string> Warnings);

internal sealed record GrayTopicView(string Topic, string State, int Queues, IReadOnlyList<int> GrayQueues, long ChangedMs, string? ChangedBy);

/// <param name="Kind">consumer or producer.</param>
/// <param name="How">join or replace of a promotion, normal or skip of a withdrawal; null for neither.</param>
internal sealed record GrayReleaseView(
    string Group, string Kind, long Generation, string State, string? How, int Rules, int StoredClients, long Forced, long ChangedMs, string? ChangedBy);

/// <summary>One broker's part of a change that is under way.</summary>
/// <param name="Remaining">Messages still to be consumed below boundaries; -1 when that is not known.</param>
internal sealed record GrayPartView(string Subject, string Action, string Broker, bool Done, long Remaining, string? Reason);

/// <param name="Side">gray or normal; none of one that a release has retired.</param>
/// <param name="Because">What decided.</param>
internal sealed record GrayClientView(string Group, string Kind, string ClientId, string Address, string Side, string Because);

/// <param name="Boundary">Where it changes hands; null when it does not.</param>
/// <param name="Remaining">Messages that the owner has still to consume: below the boundary, or up to the queue's end.</param>
internal sealed record GrayQueueView(
    string Group, string Topic, string Broker, int Queue, string Owner, long Consumed, long? Boundary, string? Taker, long MaxOffset, long Remaining, string? Reason);

/// <summary>What nobody is to consume of a release at one broker: skipped, or forced over.</summary>
internal sealed record GrayGivenUpView(string Group, string Broker, long Release, long Messages);

/// <param name="Version">That it acts on; -1 when that is not known.</param>
internal sealed record GrayBrokerView(string Broker, long Version, long ReportedMs, string? Problem);
