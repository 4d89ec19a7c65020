using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Connections;
using GrayMQ.Store;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// What groups are not given any more, since the gray side that was to have it was withdrawn and what it leaves is skipped: delayed and half
/// messages that were accepted before and are stored in their topic only later, and what that side had failed. Other groups get them.
/// </summary>
/// <remarks>Changed by <see cref="GrayWork"/> alone; asked by every read of such a group.</remarks>
internal sealed class GraySkips
{
    private readonly MessageStore _messages;
    private readonly long _keepMs;
    private readonly ILogger _logger;
    private volatile Dictionary<string, SkipMark[]> _groups;

    /// <param name="skips">What was on disk; what names more of the log than there is, is taken to be withdrawn at its end.</param>
    /// <param name="keep">The longest that a message may wait, delayed or half.</param>
    public GraySkips(IEnumerable<GraySkip> skips, MessageStore messages, TimeSpan keep, ILogger logger)
    {
        _messages = messages;
        _keepMs = (long)keep.TotalMilliseconds;
        _logger = logger;
        long end = messages.MaxPhysicalOffset;
        _groups = skips.GroupBy(skip => skip.Group, StringComparer.Ordinal).ToDictionary(
            group => group.Key,
            group => group.OrderBy(skip => skip.Generation).Select(skip => new SkipMark(Clamped(skip, end))).ToArray(),
            StringComparer.Ordinal);
    }

    public bool IsEmpty => _groups.Count == 0;

    /// <summary>All that there are.</summary>
    public IEnumerable<SkipMark> All => _groups.Values.SelectMany(marks => marks);

    /// <summary>That of a release; null where nothing of it is skipped.</summary>
    public SkipMark? Find(string group, long generation) =>
        _groups.TryGetValue(group, out SkipMark[]? marks) ? Array.Find(marks, mark => mark.Terms.Generation == generation) : null;

    /// <summary>By what somebody's read of a topic is to be filtered.</summary>
    /// <param name="sides">The group's, where it has a release.</param>
    /// <param name="filter">Of what he subscribes to.</param>
    public IMessageFilter? FilterFor(string group, GrayGroup? sides, Topic topic, RemotingPeer connection, IMessageFilter? filter)
    {
        if (!_groups.TryGetValue(group, out SkipMark[]? marks))
        {
            return filter;
        }

        foreach (SkipMark mark in marks)
        {
            // The side itself is given, up to its boundaries, what it fails and gets again while it is being withdrawn.
            if (mark.Concerns(topic)
                && !(sides is { Release.IsOpen: true }
                    && sides.Release.Generation == mark.Terms.Generation
                    && sides.StandingOf(connection) == Standing.Gray))
            {
                filter = mark.Without(topic, filter);
            }
        }

        return filter;
    }

    /// <summary>What is to change with the states of releases; to be asked under the append lock, before queues have other owners.</summary>
    /// <param name="entries">The groups as they are to be.</param>
    public List<GraySkipChange> Plan(IEnumerable<GrayEntry> entries, long nowMs)
    {
        long end = _messages.MaxPhysicalOffset;
        var changes = new List<GraySkipChange>();
        foreach (GrayEntry entry in entries)
        {
            GrayRelease release = entry.Ending?.Release ?? entry.Group.Release;
            SkipMark? mark = Find(release.Group, release.Generation);
            GraySkip? now = mark?.ToState();
            bool isLive = release.IsOpen || entry.Ending is not null;
            if (isLive && release is { State: GrayReleaseState.Withdrawing or GrayReleaseState.Withdrawn, Leftover: GrayLeftover.Skip })
            {
                if (now is not { IsActive: true })
                {
                    now = (now ?? New(release)) with { Topics = TopicsOf(entry.Group, release), Before = end, SinceMs = nowMs };
                }
            }
            else if (release.IsOpen && now is { IsActive: true })
            {
                // Taken back: what comes now is the side's again.
                now = now with { Before = 0 };
            }

            if (entry.Ending is not null && now is not null)
            {
                now = now with { Skipped = now.Skipped + entry.GivenUp };
            }

            if (now is not null && !ReferenceEquals(now, mark?.Terms) && (now.IsActive || mark is not null))
            {
                changes.Add(new GraySkipChange(release.Group, release.Generation, now));
            }

            AddOlder(release, end, now is not null && mark is null, changes);
        }

        return changes;
    }

    /// <summary>What is to be written of what was counted, and what cannot concern anybody any more.</summary>
    public List<GraySkipChange> Changes(long nowMs)
    {
        var changes = new List<GraySkipChange>();
        foreach (SkipMark mark in All)
        {
            GraySkip terms = mark.Terms;
            if (IsOver(terms, nowMs))
            {
                changes.Add(new GraySkipChange(terms.Group, terms.Generation, null));
            }
            else if (mark.IsDirty)
            {
                changes.Add(new GraySkipChange(terms.Group, terms.Generation, mark.ToState()));
            }
        }

        return changes;
    }

    /// <summary>The group is no more.</summary>
    public List<GraySkipChange> Forgetting(string group) =>
        [.. (_groups.GetValueOrDefault(group) ?? []).Select(mark => new GraySkipChange(group, mark.Terms.Generation, null))];

    /// <summary>It is so on disk.</summary>
    public void Apply(List<GraySkipChange> changes)
    {
        if (changes.Count == 0)
        {
            return;
        }

        var groups = new Dictionary<string, SkipMark[]>(_groups, StringComparer.Ordinal);
        foreach ((string group, long generation, GraySkip? now) in changes)
        {
            SkipMark[] marks = groups.GetValueOrDefault(group) ?? [];
            SkipMark? mark = Array.Find(marks, each => each.Terms.Generation == generation);
            if (now is not null && mark is not null && IsSame(mark.Terms, now) && now.Skipped <= mark.Skipped)
            {
                mark.Written(now.Skipped);
                continue;
            }

            if (now is { IsActive: true } && mark?.Terms.IsActive != true)
            {
                Log.LeftoverSkipped(_logger, group, now.Generation, string.Join(',', now.Topics), now.Before);
            }

            // What is counted between its being told and here is counted no more; it is a number for people.
            SkipMark[] others = [.. marks.Where(each => each != mark)];
            groups[group] = now is null ? others : [.. others.Append(new SkipMark(now)).OrderBy(each => each.Terms.Generation)];
            if (groups[group].Length == 0)
            {
                groups.Remove(group);
            }
        }

        _groups = groups;
    }

    private static GraySkip Clamped(GraySkip skip, long end) => skip with
    {
        Before = Math.Min(skip.Before, end),
        RetriesBefore = skip.RetriesBefore == GraySkip.Unlimited ? GraySkip.Unlimited : Math.Min(skip.RetriesBefore, end),
    };

    private static bool IsSame(GraySkip one, GraySkip other) =>
        one.Before == other.Before && one.RetriesBefore == other.RetriesBefore && one.SinceMs == other.SinceMs;

    private static GraySkip New(GrayRelease release) =>
        new() { Group = release.Group, Generation = release.Generation, Before = 0, SinceMs = 0 };

    // Of which the gray side was to have what is gray; what its retry topics hold is told by who failed it.
    private static string[] TopicsOf(GrayGroup group, GrayRelease release) =>
    [
        .. group.Topics
            .Where(pair => !pair.Key.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal)
                && Array.Exists(
                    pair.Value,
                    queue => queue.IsLastGrayQueue
                        && (queue.Last == Side.Gray || (queue.Last is null && release.Unsubscribed == GrayUnsubscribed.Hold))))
            .Select(pair => pair.Key),
    ];

    // Those of releases before, once another is open; and the oldest where there are too many.
    private void AddOlder(GrayRelease release, long end, bool isAdded, List<GraySkipChange> changes)
    {
        SkipMark[] older = [.. (_groups.GetValueOrDefault(release.Group) ?? []).Where(mark => mark.Terms.Generation < release.Generation)];
        int over = older.Length + (isAdded ? 1 : 0) - GraySkip.MaxPerGroup;
        for (int i = 0; i < older.Length; i++)
        {
            GraySkip terms = older[i].Terms;
            if (i < over)
            {
                changes.Add(new GraySkipChange(terms.Group, terms.Generation, null));
            }
            else if (release.IsOpen && terms.RetriesBefore == GraySkip.Unlimited)
            {
                changes.Add(new GraySkipChange(terms.Group, terms.Generation, older[i].ToState() with { RetriesBefore = end }));
            }
        }
    }

    // Once all that waited then has come, and the log has none of it any more.
    private bool IsOver(GraySkip skip, long nowMs)
    {
        long lastMs = skip.SinceMs + _keepMs;
        return nowMs > lastMs && (_messages.EarliestStoreTimestampMs is var earliest && (earliest < 0 || earliest > lastMs));
    }
}
