using System.Text;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Clients;

/// <summary>
/// A consumer group that has clients, or had some a short while ago. Reads see immutable snapshots; changes are made by
/// <see cref="ConsumerTable"/> under its lock.
/// </summary>
public sealed class ConsumerGroup
{
    private volatile ConsumerTraits _traits;
    private volatile SubscriptionSet _subscriptions = SubscriptionSet.Empty;
    private volatile SubscriptionSet _graySubscriptions = SubscriptionSet.Empty;
    private volatile ConsumerClient[] _clients = [];

    internal ConsumerGroup(string name, ConsumerTraits traits)
    {
        Name = name;
        NameUtf8 = Encoding.UTF8.GetBytes(name);
        _traits = traits;
    }

    public string Name { get; }

    public ReadOnlyMemory<byte> NameUtf8 { get; }

    public ConsumerTraits Traits
    {
        get => _traits;
        internal set => _traits = value;
    }

    public ConsumeType ConsumeType => _traits.ConsumeType;

    public MessageModel MessageModel => _traits.MessageModel;

    public ConsumeFromWhere ConsumeFromWhere => _traits.ConsumeFromWhere;

    /// <summary>What the gray side subscribes to while the group has a release; empty without one.</summary>
    public SubscriptionSet GraySubscriptions
    {
        get => _graySubscriptions;
        internal set => _graySubscriptions = value;
    }

    /// <summary>What the group as a whole subscribes to; its normal side while it has a release.</summary>
    public SubscriptionSet Subscriptions
    {
        get => _subscriptions;
        internal set => _subscriptions = value;
    }

    /// <summary>The clients that are connected; none of them twice. A snapshot.</summary>
    public IReadOnlyList<ConsumerClient> Clients => _clients;

    /// <summary>Whether any client is connected.</summary>
    public bool IsOnline => _clients.Length > 0;

    /// <summary>Of every client that is connected or remembered, by client id. Guarded by the table's lock.</summary>
    internal Dictionary<string, RememberedClient> Remembered { get; } = new(StringComparer.Ordinal);

    /// <summary>What the group as a whole wants of a topic; without allocating.</summary>
    public Subscription? FindSubscription(ReadOnlySpan<byte> utf8Topic) =>
        _subscriptions.Find(utf8Topic) ?? _graySubscriptions.Find(utf8Topic);

    public Subscription? FindSubscription(string topic) => _subscriptions.Find(topic) ?? _graySubscriptions.Find(topic);

    public ConsumerClient? FindClient(string clientId) =>
        Array.Find(_clients, client => client.ClientId == clientId);

    internal ConsumerClient? FindClient(ClientSession session) =>
        Array.Find(_clients, client => ReferenceEquals(client.Session, session));

    internal void Add(ConsumerClient client) => _clients = [.. _clients, client];

    internal bool Remove(ConsumerClient client)
    {
        ConsumerClient[] rest = [.. _clients.Where(other => !ReferenceEquals(other, client))];
        bool removed = rest.Length < _clients.Length;
        _clients = rest;
        return removed;
    }
}
