using GrayMQ.Broker.Clients;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// Which side of a group subscribes to which topics. A side keeps a topic while one of its clients that does is connected, and for a while
/// after: a pod that restarts does not hand its queues over. Kept on disk, or a restart of the broker would look like all of them had gone.
/// For one thread at a time.
/// </summary>
internal sealed class GraySubscribers(IEnumerable<GraySubscriber> known)
{
    private Dictionary<(Side Side, string Topic), long> _absentSince =
        known.ToDictionary(each => (each.Side, each.Topic), each => each.AbsentSinceMs);

    private Dictionary<(Side Side, string Topic), int> _clients = [];

    /// <summary>As they are kept on disk.</summary>
    public List<GraySubscriber> ToList() =>
        [.. _absentSince.Select(pair => new GraySubscriber(pair.Key.Side, pair.Key.Topic, pair.Value))];

    /// <summary>The topics to which any side subscribes.</summary>
    public IEnumerable<string> Topics => _absentSince.Keys.Select(key => key.Topic).Distinct(StringComparer.Ordinal);

    /// <summary>The sides that subscribe to a topic.</summary>
    public SideSet Of(string topic) =>
        new(_absentSince.ContainsKey((Side.Normal, topic)), _absentSince.ContainsKey((Side.Gray, topic)));

    /// <summary>Connected clients of a side that subscribe to a topic.</summary>
    public int ClientsOf(Side? side, string topic) => side is { } of ? _clients.GetValueOrDefault((of, topic)) : 0;

    /// <summary>Takes in who is connected; true when what is on disk is out of date.</summary>
    /// <param name="absence">How long a topic is kept for the gray side when no client of it is there; null for ever.</param>
    /// <param name="leaving">Gray clients that are to be normal: their side is not to be given anything on their account.</param>
    public bool Refresh(GrayGroup group, ConsumerGroup? consumers, long nowMs, TimeSpan? absence, IReadOnlySet<string> leaving)
    {
        var clients = new Dictionary<(Side, string), int>();
        var wanted = new HashSet<(Side, string)>();
        bool hasNormal = false;
        foreach (ConsumerClient client in consumers?.Clients ?? [])
        {
            if (group.StandingOf(client).ToSide() is not { } side)
            {
                continue;
            }

            hasNormal |= side == Side.Normal;
            foreach (Subscription subscription in client.Subscriptions.All)
            {
                (Side, string) key = (side, subscription.Topic);
                clients[key] = clients.GetValueOrDefault(key) + 1;
                if (side == Side.Normal || !leaving.Contains(client.ClientId))
                {
                    wanted.Add(key);
                }
            }
        }

        var next = new Dictionary<(Side Side, string Topic), long>();
        foreach (((Side, string) key, long since) in _absentSince)
        {
            bool isGray = key.Item1 == Side.Gray;
            if (wanted.Contains(key) || (isGray && leaving.Count > 0))
            {
                continue;
            }

            // While no normal client is there at all, nobody has said that the normal side does without the topic.
            long absentSince = since == 0 ? nowMs : since;
            bool isOver = absence is { } limit
                && nowMs - absentSince >= limit.TotalMilliseconds
                && (isGray || hasNormal);
            if (!isOver)
            {
                next[key] = absentSince;
            }
        }

        foreach ((Side, string) key in wanted)
        {
            next[key] = 0;
        }

        bool changed = next.Count != _absentSince.Count
            || next.Any(pair => !_absentSince.TryGetValue(pair.Key, out long before) || before != pair.Value);

        // Those that are leaving consume what is theirs still.
        var presence = new Dictionary<(Side, string), long>(next);
        foreach ((Side, string) key in clients.Keys)
        {
            presence[key] = 0;
        }

        group.Note(presence);
        _absentSince = next;
        _clients = clients;
        return changed;
    }
}
