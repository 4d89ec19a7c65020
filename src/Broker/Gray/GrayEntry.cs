using GrayMQ.Broker.Clients;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>What <see cref="GrayWork"/> knows of a group beyond what requests ask.</summary>
internal sealed class GrayEntry(GrayGroup group, IEnumerable<GraySubscriber> subscribers, long givenUp)
{
    public GrayGroup Group { get; } = group;

    public GraySubscribers Subscribers { get; } = new(subscribers);

    /// <summary>Messages that were given up.</summary>
    public long GivenUp { get; set; } = givenUp;

    /// <summary>Whether what is on disk is out of date.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Both sides are known, and do not subscribe alike.</summary>
    public bool SubscriptionsDiffer { get; set; }

    /// <summary>The clients of both sides, those among them that were there a short while ago.</summary>
    public GrayClients Clients { get; init; } = new([]);

    /// <summary>When this process took the group over from disk, ms since 1970: its clients come back from then on. 0 where it did not.</summary>
    public long RecoveredMs { get; init; }

    /// <summary>When the release ended, ms since 1970; 0 while it has not.</summary>
    public long EndedMs { get; set; }

    /// <summary>The end that is about to be: the release as it is then, and who is retired. Null when none is.</summary>
    public (GrayRelease Release, IReadOnlySet<string> Retired)? Ending { get; set; }

    /// <summary>A promotion to one side with one subscription that would drop messages of the other: it does not begin.</summary>
    public bool IsHeldUp =>
        SubscriptionsDiffer && Group.Release is { State: GrayReleaseState.Promoting, Promotion: GrayPromotion.Join };

    /// <summary>The state by which owners are to be: that of the release, but for a promotion that is held up.</summary>
    public GrayRelease ReleaseForOwners =>
        IsHeldUp ? Group.Release with { State = GrayReleaseState.Open, Promotion = null } : Group.Release;

    /// <summary>As it is to be on disk.</summary>
    /// <param name="changed">Topics that are about to have other owners.</param>
    public GrayGroupState ToState(IReadOnlyDictionary<string, QueueOwnership[]>? changed = null)
    {
        var topics = Group.Topics.ToDictionary(StringComparer.Ordinal);
        foreach ((string topic, QueueOwnership[] queues) in changed ?? new Dictionary<string, QueueOwnership[]>())
        {
            topics[topic] = queues;
        }

        return new GrayGroupState
        {
            Group = Group.Name,
            Generation = Group.Release.Generation,
            Topics = topics,
            Subscribers = Subscribers.ToList(),
            Clients = Clients.ToDictionary(),
            Retired = [.. Ending?.Retired ?? Group.Retired],
            EndedMs = EndedMs,
            Ended = EndedMs == 0 ? null : Ending?.Release ?? Group.Release,
            GivenUp = GivenUp,
        };
    }

    /// <summary>Compares what the connected clients of both sides ask for.</summary>
    public void CompareSides(ConsumerGroup? consumers)
    {
        Dictionary<string, Subscription> normal = Group.SubscriptionsOf(consumers, Standing.Normal);
        Dictionary<string, Subscription> gray = Group.SubscriptionsOf(consumers, Standing.Gray);
        SubscriptionsDiffer = normal.Count > 0
            && gray.Count > 0
            && (normal.Count != gray.Count
                || normal.Values.Any(ours => !gray.TryGetValue(ours.Topic, out Subscription? theirs) || !ours.AsksForTheSameAs(theirs)));
    }
}
