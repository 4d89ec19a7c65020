using System.Collections.Concurrent;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Subscriptions;

/// <summary>
/// What a consumer subscribes to, by topic. Each entry has two versions: the one it was made with, which pulls name, and the one
/// that heartbeats tell, which may be newer. A broker refuses pulls that name a newer version than it was told.
/// </summary>
internal sealed class SubscriptionTable(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Entry> _byTopic = new(StringComparer.Ordinal);

    /// <summary>As heartbeats tell them.</summary>
    public IEnumerable<SubscriptionData> All =>
        _byTopic.Values.Select(entry => entry.Subscription with { SubVersion = entry.ToldVersion });

    public IEnumerable<string> Topics => _byTopic.Keys;

    /// <summary>As pulls name it; null when the topic is not subscribed to.</summary>
    public SubscriptionData? Find(string topic) => _byTopic.GetValueOrDefault(topic)?.Subscription;

    public void Set(string topic, MessageSelector selector)
    {
        long version = NowMs();
        _byTopic[topic] = new Entry(selector.ToSubscription(topic, version), version);
    }

    public bool Remove(string topic) => _byTopic.TryRemove(topic, out _);

    /// <summary>
    /// Has heartbeats tell the topic's subscription as a newer one: brokers take the newest of a group, and a consumer whose queues have
    /// changed has to be heard.
    /// </summary>
    public void Renew(string topic)
    {
        if (_byTopic.TryGetValue(topic, out Entry? entry))
        {
            _byTopic.TryUpdate(topic, entry with { ToldVersion = NowMs() }, entry);
        }
    }

    private long NowMs() => time.GetUtcNow().ToUnixTimeMilliseconds();

    private sealed record Entry(SubscriptionData Subscription, long ToldVersion);
}
