using GrayMQ.Broker.Names;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Clients;

/// <summary>Subscriptions by topic. Immutable: a change makes a new set, so readers need no lock.</summary>
public sealed class SubscriptionSet
{
    private readonly Dictionary<string, Subscription> _byTopic;
    private readonly Dictionary<string, Subscription>.AlternateLookup<ReadOnlySpan<byte>> _byUtf8Topic;

    private SubscriptionSet(Dictionary<string, Subscription> byTopic)
    {
        _byTopic = byTopic;
        _byUtf8Topic = byTopic.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    public static SubscriptionSet Empty { get; } = new(NewTable());

    public int Count => _byTopic.Count;

    public IReadOnlyCollection<Subscription> All => _byTopic.Values;

    /// <summary>A client's subscriptions; of two to the same topic the last one stays.</summary>
    public static SubscriptionSet Of(IEnumerable<SubscriptionData> subscriptions)
    {
        Dictionary<string, Subscription> table = NewTable();
        foreach (SubscriptionData data in subscriptions)
        {
            table[data.Topic] = new Subscription(data);
        }

        return table.Count == 0 ? Empty : new SubscriptionSet(table);
    }

    /// <summary>Finds a subscription without allocating.</summary>
    public Subscription? Find(ReadOnlySpan<byte> utf8Topic) =>
        _byUtf8Topic.TryGetValue(utf8Topic, out Subscription? found) ? found : null;

    public Subscription? Find(string topic) => _byTopic.GetValueOrDefault(topic);

    /// <summary>
    /// The group's subscriptions after one of its clients said what it wants: exactly the client's topics; on each
    /// the newer subscription counts, and of two of the same age the one that was there. RocketMQ:
    /// ConsumerGroupInfo.updateSubscription.
    /// </summary>
    /// <returns>This set when nothing has changed.</returns>
    public SubscriptionSet UpdatedBy(SubscriptionSet client, out bool topicsChanged)
    {
        Dictionary<string, Subscription> table = NewTable();
        int kept = 0;
        bool replaced = false;
        foreach (Subscription theirs in client._byTopic.Values)
        {
            Subscription? ours = _byTopic.GetValueOrDefault(theirs.Topic);
            bool newer = ours is null || theirs.SubVersion > ours.SubVersion;
            table.Add(theirs.Topic, newer ? theirs : ours!);
            kept += ours is null ? 0 : 1;
            replaced |= newer;
        }

        topicsChanged = kept != table.Count || kept != Count;
        return topicsChanged || replaced ? new SubscriptionSet(table) : this;
    }

    /// <summary>Whether both name the same topics with the same versions and expressions.</summary>
    public bool SameAs(SubscriptionSet other) =>
        ReferenceEquals(this, other)
        || (Count == other.Count && _byTopic.Values.All(ours =>
            other._byTopic.TryGetValue(ours.Topic, out Subscription? theirs)
            && theirs.SubVersion == ours.SubVersion
            && theirs.AsksForTheSameAs(ours)));

    private static Dictionary<string, Subscription> NewTable() => new(Utf8NameComparer.Instance);
}
