using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Offsets;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>Which groups have sides, and who stands where when a release begins, goes on and ends. Asked by <see cref="GrayWork"/> alone.</summary>
internal sealed class GrayRoster(GrayOptions options, ClientRegistry clients, ConsumerOffsetTable offsets, Action signal)
{
    public GrayGroup NewGroup(GrayRelease release) => new(release, clients.Consumers, offsets, signal);

    /// <summary>The groups that have a release which is not over; those that are new are not asked by anybody yet.</summary>
    /// <param name="entries">Those there were.</param>
    /// <param name="gone">Groups that nothing is kept of any more.</param>
    /// <param name="resided">Groups of which clients have another side than before.</param>
    public Dictionary<string, GrayEntry> Next(
        IReadOnlyDictionary<string, GrayEntry> entries, GraySnapshot snapshot, long now, out List<string> gone, out HashSet<string> resided)
    {
        var next = new Dictionary<string, GrayEntry>(StringComparer.Ordinal);
        resided = new HashSet<string>(StringComparer.Ordinal);
        foreach (GrayRelease release in snapshot.Releases.Where(each => each.IsOpen && each.Kind == GrayReleaseKind.Consumer))
        {
            if (!entries.TryGetValue(release.Group, out GrayEntry? entry) || entry.Group.Release.Generation != release.Generation)
            {
                // Whom a release before has retired is retired still: it is not gone, and nobody has asked for it back.
                GrayGroup group = NewGroup(release);
                IReadOnlySet<string> retired = entry?.Group.Retired ?? new HashSet<string>();
                group.Update(release, retired, new HashSet<string>());
                entry = new GrayEntry(group, KnownSubscriptions(release.Group, now), 0)
                {
                    Clients = new GrayClients(entry?.Clients.ToDictionary().Where(pair => retired.Contains(pair.Key)) ?? []),
                    IsDirty = true,
                };
                group.Know(entry.Clients.ToDictionary());
                resided.Add(release.Group);
            }

            ForgetGone(entry, now);
            HashSet<string> leaving = LeavingOf(entry, release);
            if (!entry.Group.Release.Equals(release) || !leaving.SetEquals(entry.Group.Leaving))
            {
                entry.Group.Update(release, entry.Group.Retired, leaving);
                resided.Add(release.Group);
            }

            next[release.Group] = entry;
        }

        gone = [];
        foreach ((string name, GrayEntry entry) in entries)
        {
            if (next.ContainsKey(name))
            {
                continue;
            }

            if (entry.EndedMs == 0)
            {
                End(entry, FindClosed(snapshot, entry.Group.Release), now);
                resided.Add(name);
            }

            if (!IsKept(entry, now))
            {
                gone.Add(name);
                resided.Add(name);
                continue;
            }

            next[name] = entry;
        }

        return next;
    }

    // What the group consumed before there were sides: that was the normal side.
    private IEnumerable<GraySubscriber> KnownSubscriptions(string group, long now) =>
        (clients.Consumers.Find(group) is { Subscriptions.Count: > 0 } consumers
            ? consumers.Subscriptions.All.Select(each => each.Topic)
            : offsets.TopicsOf(group))
        .Select(topic => new GraySubscriber(Side.Normal, topic, now));

    // The last gray clients that are set back stay gray until what is theirs is drained.
    private HashSet<string> LeavingOf(GrayEntry entry, GrayRelease release)
    {
        var leaving = new HashSet<string>(StringComparer.Ordinal);
        if (release.State != GrayReleaseState.Open
            || clients.Consumers.Find(release.Group) is not { } consumers
            || !entry.Group.Topics.Values.Any(queues => Array.Exists(queues, queue => queue.Owner == Side.Gray)))
        {
            return leaving;
        }

        foreach (ConsumerClient client in entry.Group.ClientsOf(consumers, Standing.Gray))
        {
            if (ClientSides.Of(release, client.ClientId, client.Connection.RemoteEndPoint?.Address, client.GrayFlag) == Side.Gray)
            {
                return [];
            }

            leaving.Add(client.ClientId);
        }

        return leaving;
    }

    // How a release has ended. Where the state does not know it any more but knows a later one of the group, this broker was away for its
    // end: then nobody is retired, since nobody can say who has lost. Where it knows none, the database was restored to before it: what is
    // left of it is the normal side.
    private static GrayRelease FindClosed(GraySnapshot snapshot, GrayRelease release)
    {
        GrayRelease? last = snapshot.Releases.LastOrDefault(each =>
            each.Kind == GrayReleaseKind.Consumer && each.Group == release.Group && each.Generation >= release.Generation);
        return last is null ? release with { State = GrayReleaseState.Withdrawn, Leftover = GrayLeftover.Normal }
            : last.Generation == release.Generation ? last
            : release with { State = GrayReleaseState.Promoted, Promotion = GrayPromotion.Join };
    }

    // There are no sides any more; those that have lost are retired.
    private void End(GrayEntry entry, GrayRelease closed, long now)
    {
        bool grayStays = closed is { State: GrayReleaseState.Promoted, Promotion: GrayPromotion.Replace };
        Side? loser = closed.State == GrayReleaseState.Withdrawn ? Side.Gray
            : grayStays ? Side.Normal
            : null;
        entry.Clients.Refresh(entry.Group, clients.Consumers.Find(closed.Group), out _);
        var retired = new HashSet<string>(entry.Group.Retired, StringComparer.Ordinal);
        retired.UnionWith(loser is null ? [] : entry.Clients.Of(loser));
        entry.EndedMs = now;
        entry.IsDirty = true;
        entry.Ending = (closed, retired);
        clients.Consumers.EndSides(closed.Group, grayStays);
    }

    // Whether an ended release may matter still to somebody who is there, or who comes back soon.
    private bool IsKept(GrayEntry entry, long now)
    {
        if (entry.Ending is null)
        {
            ForgetGone(entry, now);
        }

        double ended = now - entry.EndedMs;
        return ended < options.EndedAbsence.TotalMilliseconds
            || entry.Group.Retired.Count > 0
            || (entry.Clients.Count > 0 && ended < options.KeepEnded.TotalMilliseconds);
    }

    private void ForgetGone(GrayEntry entry, long now)
    {
        HashSet<string> retired = [.. entry.Group.Retired];
        if (entry.Clients.Forget(clients.Consumers.Find(entry.Group.Name), retired, now, options.EndedAbsence.TotalMilliseconds))
        {
            entry.Group.Update(entry.Group.Release, retired, entry.Group.Leaving);
            entry.Group.Know(entry.Clients.ToDictionary());
            entry.IsDirty = true;
        }
    }
}
