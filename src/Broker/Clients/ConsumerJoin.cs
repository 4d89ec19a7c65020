namespace GrayMQ.Broker.Clients;

/// <summary>What a heartbeat says of one consumer group.</summary>
/// <param name="Subscriptions">Null when the heartbeat leaves them out, since they are as they were.</param>
/// <param name="Fingerprint">Of the heartbeat's contents; 0 when the client uses none.</param>
/// <param name="GrayFlag">Whether the client says that it is gray; null when it says nothing.</param>
public readonly record struct ConsumerJoin(
    string Group, string ClientId, ConsumerTraits Traits, SubscriptionSet? Subscriptions, int Fingerprint, bool? GrayFlag = null);

/// <summary>What came of it.</summary>
/// <param name="Joined">The client was not in the group before.</param>
/// <param name="TopicsChanged">The group subscribes to other topics than before.</param>
/// <param name="ResendWanted">
/// The heartbeat's fingerprint is another than the one known, or its subscriptions are left out and nobody knows them: the
/// client is to send them again.
/// </param>
public readonly record struct JoinOutcome(bool Joined, bool TopicsChanged, bool ResendWanted);

/// <summary>Names what is remembered of one client in one group.</summary>
public readonly record struct RememberedKey(string Group, string ClientId);
