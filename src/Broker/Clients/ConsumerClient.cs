using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Broker.Clients;

/// <summary>One client of a consumer group: a connection, with the id and the subscriptions that it told last.</summary>
public sealed class ConsumerClient
{
    private long _lastHeartbeatMs;
    private volatile GrayFlagOf _grayFlag = GrayFlagOf.Unsaid;

    internal ConsumerClient(ClientSession session, string clientId, SubscriptionSet subscriptions, long nowMs)
    {
        Session = session;
        ClientId = clientId;
        Subscriptions = subscriptions;
        _lastHeartbeatMs = nowMs;
    }

    public ClientSession Session { get; }

    public RemotingPeer Connection => Session.Connection;

    public string ClientId { get; }

    public LanguageCode Language => Session.Language;

    public short Version => Session.Version;

    /// <summary>What this client itself asked for last, whatever the others of its group ask for.</summary>
    public SubscriptionSet Subscriptions { get; internal set => Volatile.Write(ref field, value); }

    /// <summary>Whether the client said in its last heartbeat that it is gray; null when it said nothing.</summary>
    public bool? GrayFlag
    {
        get => _grayFlag.Value;
        internal set => _grayFlag = new GrayFlagOf(value);
    }

    /// <summary>Milliseconds since 1970.</summary>
    public long LastHeartbeatMs => Volatile.Read(ref _lastHeartbeatMs);

    internal void Heard(long nowMs) => Volatile.Write(ref _lastHeartbeatMs, nowMs);

    private sealed record GrayFlagOf(bool? Value)
    {
        public static GrayFlagOf Unsaid { get; } = new((bool?)null);
    }
}
