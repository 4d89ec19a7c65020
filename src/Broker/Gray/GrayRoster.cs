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
                GrayGroup group = NewGroup(release);
                entry = new GrayEntry(group, KnownSubscriptions(release.Group, now), 0) { IsDirty = true };
                resided.Add(release.Group);
            }

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

            GrayRelease? closed = snapshot.Releases.FirstOrDefault(each =>
                each.Kind == GrayReleaseKind.Consumer && each.Group == name && each.Generation == entry.Group.Release.Generation);
            if (closed is null)
            {
                // The state does not know it: nobody is held to it any more.
                End(entry, entry.Group.Release with { State = GrayReleaseState.Withdrawn, Leftover = GrayLeftover.Normal }, now);
                gone.Add(name);
                resided.Add(name);
                continue;
            }

            if (entry.EndedMs == 0)
            {
                End(entry, closed, now);
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

    // There are no sides any more; those that have lost are retired.
    private void End(GrayEntry entry, GrayRelease closed, long now)
    {
        bool grayStays = closed is { State: GrayReleaseState.Promoted, Promotion: GrayPromotion.Replace };
        Standing? loser = closed.State == GrayReleaseState.Withdrawn ? Standing.Gray
            : grayStays ? Standing.Normal
            : null;
        var retired = new HashSet<string>(StringComparer.Ordinal);
        foreach (ConsumerClient client in clients.Consumers.Find(closed.Group)?.Clients ?? [])
        {
            (entry.Group.StandingOf(client) == loser ? retired : entry.Former).Add(client.ClientId);
        }

        entry.EndedMs = now;
        entry.IsDirty = true;
        entry.Ending = (closed, retired);
        clients.Consumers.EndSides(closed.Group, grayStays);
    }

    // Whether anybody is there still for whom an ended release matters.
    private bool IsKept(GrayEntry entry, long now)
    {
        ConsumerGroup? consumers = clients.Consumers.Find(entry.Group.Name);
        if (entry.Ending is { } ending)
        {
            return ending.Retired.Count + entry.Former.Count > 0;
        }

        HashSet<string> retired = [.. entry.Group.Retired];
        if (retired.RemoveWhere(IsGone) + entry.Former.RemoveWhere(IsGone) > 0)
        {
            entry.Group.Update(entry.Group.Release, retired, new HashSet<string>());
            entry.IsDirty = true;
        }

        return retired.Count > 0
            || (entry.Former.Count > 0 && now - entry.EndedMs < options.KeepEnded.TotalMilliseconds);

        bool IsGone(string clientId)
        {
            if (consumers?.FindClient(clientId) is not null)
            {
                entry.GoneSince.Remove(clientId);
                return false;
            }

            entry.GoneSince.TryAdd(clientId, now);
            return now - entry.GoneSince[clientId] >= options.EndedAbsence.TotalMilliseconds;
        }
    }
}
