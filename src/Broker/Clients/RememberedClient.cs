namespace GrayMQ.Broker.Clients;

/// <summary>
/// What is kept of a client beyond its connection, and on disk beyond the broker's life, so that a heartbeat that leaves the
/// subscriptions out still says something. Immutable.
/// </summary>
/// <param name="Fingerprint">Of the heartbeat that the subscriptions came with; 0 when the client uses none.</param>
/// <param name="LastSeenMs">Milliseconds since 1970.</param>
public sealed record RememberedClient(
    string Group, string ClientId, int Fingerprint, ConsumerTraits Traits, SubscriptionSet Subscriptions, long LastSeenMs);
