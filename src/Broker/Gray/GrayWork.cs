using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Store;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// Brings this broker from one state of gray to the next: decides who is to own which queue, takes the boundaries, has them on disk before
/// anybody is answered by them, and lets queues change hands once everything before the boundary is consumed. The only one that writes
/// <see cref="GrayTable"/> and <see cref="GrayGroup"/>; one step at a time.
/// </summary>
/// <remarks>
/// A step is taken up from what is on disk, wherever the process ended: what was not written has not begun, since nobody was answered by
/// it; what was written is gone on with.
/// </remarks>
internal sealed class GrayWork : IDisposable
{
    private readonly GrayOptions _options;
    private readonly GrayTable _table;
    private readonly GrayStore _store;
    private readonly TopicTable _topics;
    private readonly ClientRegistry _clients;
    private readonly ConsumerOffsetTable _offsets;
    private readonly MessageStore _messages;
    private readonly GrayStarts _starts;
    private readonly GrayQueueFacts _facts;
    private readonly Action<string> _wake;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _working = new();
    private readonly Dictionary<string, GrayEntry> _entries = new(StringComparer.Ordinal);
    private readonly ITimer _timer;
    private GraySnapshot _wanted;
    private GraySnapshot _acting;
    private int _signalled;
    private bool _started;
    private bool _stopped;

    /// <param name="wake">Called with a group whose queues have changed hands: who waits is to look again.</param>
    /// <exception cref="InvalidDataException">What is on disk cannot be read.</exception>
    public GrayWork(
        GrayOptions options,
        GrayTable table,
        GrayStore store,
        TopicTable topics,
        ClientRegistry clients,
        ConsumerOffsetTable offsets,
        MessageStore messages,
        GrayQueueFacts facts,
        Action<string> wake,
        TimeProvider time,
        ILogger<GrayWork> logger)
    {
        _options = options;
        _table = table;
        _store = store;
        _topics = topics;
        _clients = clients;
        _offsets = offsets;
        _messages = messages;
        _facts = facts;
        _wake = wake;
        _time = time;
        _logger = logger;
        _starts = new GrayStarts(clients.Consumers, offsets, messages, time);
        _acting = store.ReadSnapshot() ?? GraySnapshot.Empty;
        _wanted = _acting;
        Restore();
        _topics.Changed += _ => SignalIfGray();
        _clients.Consumers.GroupChanged += OnGroupChanged;
        _clients.Consumers.IsGray = (group, client) =>
            _table.FindGroup(group.Name) is { } sides && sides.StandingOf(client) == Standing.Gray;
        _offsets.Moved += OnMoved;
        _timer = time.CreateTimer(_ => SignalIfGray(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The state that the broker acts on, which is on its disk.</summary>
    public GraySnapshot Acting => Volatile.Read(ref _acting);

    /// <summary>Does what was left undone at the last end, before anybody is served; then looks now and then.</summary>
    public void Start()
    {
        lock (_working)
        {
            _started = true;
            Step();
        }

        _timer.Change(_options.LookInterval, _options.LookInterval);
    }

    /// <summary>Acts on another state from now on; returns when that is on disk, with every boundary that it asks for.</summary>
    /// <exception cref="KeyValueStoreException">It cannot be written; the broker acts on the state of before.</exception>
    public void Follow(GraySnapshot snapshot)
    {
        lock (_working)
        {
            _wanted = snapshot;
            if (_started && !_stopped)
            {
                Step();
            }
        }
    }

    /// <summary>What this broker owes and has done, for name servers.</summary>
    public GrayProgress Report()
    {
        lock (_working)
        {
            return GrayReport.Make(_options, _acting, _entries.Values, _clients.Consumers, _facts, NowMs());
        }
    }

    public void Dispose()
    {
        lock (_working)
        {
            _stopped = true;
        }

        _timer.Dispose();
    }

    /// <summary>Looks soon whether something is to be done. Quick, and to be called from anywhere.</summary>
    public void Signal()
    {
        if (Interlocked.Exchange(ref _signalled, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static work => work.Run(), this, preferLocal: false);
        }
    }

    private long NowMs() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private void SignalIfGray()
    {
        if (_table.View is not null || !ReferenceEquals(Volatile.Read(ref _wanted), Acting))
        {
            Signal();
        }
    }

    private void OnGroupChanged(ConsumerGroup group)
    {
        if (_table.FindGroup(group.Name) is not null)
        {
            Signal();
        }
    }

    private void Run()
    {
        Volatile.Write(ref _signalled, 0);
        lock (_working)
        {
            if (!_started || _stopped)
            {
                return;
            }

            try
            {
                Step();
            }
            catch (Exception e)
            {
                Log.GrayStepFailed(_logger, e);
            }
        }
    }

    private void Restore()
    {
        foreach (GrayGroupState state in _store.ReadGroups())
        {
            GrayRelease? release = _acting.Releases.FirstOrDefault(each =>
                each.Kind == GrayReleaseKind.Consumer && each.Group == state.Group && each.Generation == state.Generation);
            if (release is null)
            {
                continue;
            }

            GrayGroup group = NewGroup(release);
            group.Update(release, state.Retired.ToHashSet(StringComparer.Ordinal), new HashSet<string>());
            group.Apply(state.Topics);
            _entries[state.Group] = new GrayEntry(group, state.Subscribers, state.GivenUp)
            {
                Former = state.Former.ToHashSet(StringComparer.Ordinal),
                EndedMs = state.EndedMs,
            };

            // An owner is written before he is told, commits a little later: where he began is what the group had come to at least.
            foreach ((string topic, QueueOwnership[] queues) in state.Topics)
            {
                for (int queueId = 0; queueId < queues.Length; queueId++)
                {
                    if (queues[queueId].Start > Math.Max(0, _offsets.Find(state.Group, topic, queueId)))
                    {
                        _offsets.Commit(state.Group, topic, queueId, queues[queueId].Start);
                    }
                }
            }
        }
    }

    private GrayGroup NewGroup(GrayRelease release) => new(release, _clients.Consumers, _offsets, Signal);

    // Everything that there is to do now. Under the lock.
    private void Step()
    {
        long now = NowMs();
        GraySnapshot snapshot = _wanted;
        Dictionary<string, GrayEntry> entries = NextEntries(snapshot, now, out List<string> gone, out HashSet<string> resided);
        var plan = new GrayPlan(snapshot, _topics, _offsets, _starts, _messages);
        plan.AddTopics();
        foreach (GrayEntry entry in entries.Values.Where(entry => entry.EndedMs == 0))
        {
            ConsumerGroup? consumers = _clients.Consumers.Find(entry.Group.Name);
            GrayRelease release = entry.Group.Release;
            TimeSpan? absence = release.AbsenceMs == GrayRelease.ForEver ? null : TimeSpan.FromMilliseconds(release.AbsenceMs);
            entry.IsDirty |= entry.Subscribers.Refresh(entry.Group, consumers, now, absence, entry.Group.Leaving);
            entry.CompareSides(consumers);
            if (entry.HaveSidesChanged(consumers))
            {
                resided.Add(entry.Group.Name);
            }

            plan.AddGroup(entry);
        }

        bool changesView = !ReferenceEquals(snapshot, _acting)
            || gone.Count > 0
            || entries.Count != _entries.Count
            || (_table.View is { } view ? !SameQueues(view.Topics, plan.Live) : plan.Live.Count > 0 || entries.Count > 0);
        if (changesView || plan.Turns.Count > 0)
        {
            Turn(snapshot, entries, gone, plan, now);
        }

        Settle(now);
        WriteDirty();
        foreach (string group in resided)
        {
            if (_clients.Consumers.Find(group) is { } consumers)
            {
                _clients.Notifier.Changed(consumers);
            }

            _wake(group);
        }
    }

    // The groups that have a release which is not over; those that are new are not asked by anybody yet.
    private Dictionary<string, GrayEntry> NextEntries(
        GraySnapshot snapshot, long now, out List<string> gone, out HashSet<string> resided)
    {
        var next = new Dictionary<string, GrayEntry>(StringComparer.Ordinal);
        resided = new HashSet<string>(StringComparer.Ordinal);
        foreach (GrayRelease release in snapshot.Releases.Where(each => each.IsOpen && each.Kind == GrayReleaseKind.Consumer))
        {
            if (!_entries.TryGetValue(release.Group, out GrayEntry? entry) || entry.Group.Release.Generation != release.Generation)
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
        foreach ((string name, GrayEntry entry) in _entries)
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
        (_clients.Consumers.Find(group) is { Subscriptions.Count: > 0 } consumers
            ? consumers.Subscriptions.All.Select(each => each.Topic)
            : _offsets.TopicsOf(group))
        .Select(topic => new GraySubscriber(Side.Normal, topic, now));

    // The last gray clients that are set back stay gray until what is theirs is drained.
    private HashSet<string> LeavingOf(GrayEntry entry, GrayRelease release)
    {
        var leaving = new HashSet<string>(StringComparer.Ordinal);
        if (release.State != GrayReleaseState.Open
            || _clients.Consumers.Find(release.Group) is not { } consumers
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
        foreach (ConsumerClient client in _clients.Consumers.Find(closed.Group)?.Clients ?? [])
        {
            (entry.Group.StandingOf(client) == loser ? retired : entry.Former).Add(client.ClientId);
        }

        entry.EndedMs = now;
        entry.IsDirty = true;
        entry.Ending = (closed, retired);
        _clients.Consumers.EndSides(closed.Group, grayStays);
    }

    // Whether anybody is there still for whom an ended release matters.
    private bool IsKept(GrayEntry entry, long now)
    {
        ConsumerGroup? consumers = _clients.Consumers.Find(entry.Group.Name);
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
            || (entry.Former.Count > 0 && now - entry.EndedMs < _options.KeepEnded.TotalMilliseconds);

        bool IsGone(string clientId)
        {
            if (consumers?.FindClient(clientId) is not null)
            {
                entry.GoneSince.Remove(clientId);
                return false;
            }

            entry.GoneSince.TryAdd(clientId, now);
            return now - entry.GoneSince[clientId] >= _options.EndedAbsence.TotalMilliseconds;
        }
    }

    private static bool SameQueues(IReadOnlyDictionary<string, GrayQueues> one, IReadOnlyDictionary<string, GrayQueues> other) =>
        one.Count == other.Count && one.All(pair => other.TryGetValue(pair.Key, out GrayQueues queues) && queues == pair.Value);

    // Takes all boundaries at one point of the log, together with the new mapping of messages.
    private void Turn(
        GraySnapshot snapshot, Dictionary<string, GrayEntry> entries, List<string> gone, GrayPlan plan, long now)
    {
        List<GrayTurn> turns = [.. plan.Turns];
        var changed = new Dictionary<GrayEntry, Dictionary<string, QueueOwnership[]>>();
        _messages.Cut([.. turns.Select(turn => turn.Queue)], (epoch, ends) =>
        {
            for (int i = 0; i < turns.Count; i++)
            {
                GrayTurn turn = turns[i];
                if (!changed.TryGetValue(turn.Entry, out Dictionary<string, QueueOwnership[]>? topics))
                {
                    changed[turn.Entry] = topics = new Dictionary<string, QueueOwnership[]>(StringComparer.Ordinal);
                }

                int queueId = turn.Queue.QueueId;
                QueueOwnership[] queues = topics.GetValueOrDefault(turn.Topic) ?? turn.Entry.Group.Topics.GetValueOrDefault(turn.Topic) ?? [];
                topics[turn.Topic] = With(queues, queueId, Retarget(in turn, ends[i], now));
            }

            foreach (GrayEntry entry in entries.Values.Where(entry => entry.EndedMs > 0))
            {
                if (entry.Group.Topics.Values.Any(queues => Array.Exists(queues, queue => queue.Owner is not null || queue.IsHandedOver)))
                {
                    changed[entry] = Ended(entry);
                }
            }

            // On disk before anybody is answered by it: nothing is stored, and so nothing read, beyond the boundaries until it is.
            IEnumerable<GrayEntry> dirty = entries.Values.Where(entry => entry.IsDirty || changed.ContainsKey(entry));
            _store.Write(
                ReferenceEquals(snapshot, _acting) ? null : snapshot,
                [.. dirty.Select(entry => entry.ToState(changed.GetValueOrDefault(entry)))],
                gone);
            foreach ((GrayEntry entry, Dictionary<string, QueueOwnership[]> topics) in changed)
            {
                entry.Group.Apply(topics);
            }

            foreach (GrayEntry entry in entries.Values)
            {
                if (entry.Ending is { } ending)
                {
                    entry.Group.Update(ending.Release, ending.Retired, new HashSet<string>());
                    entry.Ending = null;
                }
            }

            var view = new GrayView(
                epoch,
                snapshot,
                plan.Live,
                entries.Values.Select(entry => entry.Group),
                snapshot.Releases.Where(each => each.IsOpen && each.Kind == GrayReleaseKind.Producer)
                    .Select(each => new GrayProducers(each, _clients.Producers)));
            _table.Publish(view.IsEmpty ? null : view);
        });
        _entries.Clear();
        foreach ((string name, GrayEntry entry) in entries)
        {
            _entries[name] = entry;
            entry.IsDirty = false;
        }

        if (!ReferenceEquals(snapshot, _acting))
        {
            Log.GrayStateTaken(_logger, snapshot.Version.ToString(), plan.Live.Count, entries.Count);
            Volatile.Write(ref _acting, snapshot);
        }

        foreach (GrayEntry entry in changed.Keys)
        {
            _wake(entry.Group.Name);
        }
    }

    // Everybody's, but whoever holds a queue by an offset of before goes on where the group has come to.
    private Dictionary<string, QueueOwnership[]> Ended(GrayEntry entry) => entry.Group.Topics.ToDictionary(
        pair => pair.Key,
        pair => pair.Value
            .Select((queue, queueId) => QueueOwnership.Of(
                null, Math.Max(queue.Start, Math.Max(0, _offsets.Find(entry.Group.Name, pair.Key, queueId)))))
            .ToArray(),
        StringComparer.Ordinal);

    private QueueOwnership Retarget(in GrayTurn turn, long end, long now)
    {
        GrayRelease release = turn.Entry.Group.Release;
        bool isWithdrawn = release.State == GrayReleaseState.Withdrawing && turn.Now.Owner == Side.Gray;
        long boundary = end;
        if (isWithdrawn)
        {
            // What the side was not given, it is not given any more.
            long given = _offsets.FindPulled(turn.Entry.Group.Name, turn.Topic, turn.Queue.QueueId);
            long committed = _offsets.Find(turn.Entry.Group.Name, turn.Topic, turn.Queue.QueueId);
            boundary = Math.Clamp(Math.Max(given, committed), 0, end);
        }

        var terms = new HandoverTerms(
            boundary,
            now,
            isWithdrawn ? now + (long)_options.WithdrawWait.TotalMilliseconds : 0,
            isWithdrawn && turn.IsGrayQueue && release.Leftover == GrayLeftover.Skip ? end : QueueOwnership.None,
            release.Forced);
        QueueOwnership next = turn.Now.Retarget(turn.Target, in terms);
        if (isWithdrawn && next is { IsHandedOver: true, DeadlineMs: 0 })
        {
            next = next with
            {
                Boundary = Math.Min(next.Boundary, terms.Boundary),
                DeadlineMs = terms.DeadlineMs,
                SkipTo = terms.SkipTo,
            };
        }

        if (next.IsHandedOver && !turn.Now.IsHandedOver)
        {
            Log.HandoverBegun(
                _logger, turn.Entry.Group.Name, turn.Topic, turn.Queue.QueueId, next.Owner, next.Next, next.Boundary);
        }

        return next;
    }

    private static QueueOwnership[] With(QueueOwnership[] queues, int queueId, QueueOwnership queue)
    {
        var copy = new QueueOwnership[Math.Max(queues.Length, queueId + 1)];
        queues.CopyTo(copy, 0);
        for (int i = queues.Length; i < copy.Length; i++)
        {
            copy[i] = QueueOwnership.Of(null, 0);
        }

        copy[queueId] = queue;
        return copy;
    }

    // Lets queues change hands whose boundary is reached.
    private void Settle(long now)
    {
        foreach (GrayEntry entry in _entries.Values.Where(entry => entry.Group.Release.IsOpen))
        {
            var changed = new Dictionary<string, QueueOwnership[]>(StringComparer.Ordinal);
            foreach ((string topic, QueueOwnership[] queues) in entry.Group.Topics)
            {
                for (int queueId = 0; queueId < queues.Length; queueId++)
                {
                    QueueOwnership queue = queues[queueId];
                    if (!queue.IsHandedOver)
                    {
                        continue;
                    }

                    HandoverLook look = queue.Look(_facts.Of(entry, topic, queueId, queue, now));
                    if (look.IsOver)
                    {
                        changed[topic] = With(
                            changed.GetValueOrDefault(topic) ?? queues, queueId, Complete(entry, topic, queueId, queue, look));
                    }
                }
            }

            if (changed.Count == 0)
            {
                continue;
            }

            foreach (string topic in changed.Keys)
            {
                // Should the process end now, the next owner must not begin before where this one has come to.
                _facts.WriteOffsets(entry.Group.Name, topic);
            }

            _store.Write(null, [entry.ToState(changed)], []);
            entry.IsDirty = false;
            entry.Group.Apply(changed);
            _table.Changed();
            _wake(entry.Group.Name);
        }
    }

    private QueueOwnership Complete(GrayEntry entry, string topic, int queueId, QueueOwnership queue, HandoverLook look)
    {
        string group = entry.Group.Name;
        long committed = _offsets.Find(group, topic, queueId);
        entry.GivenUp += look.GivenUp;
        if (queue.SkipTo > committed)
        {
            long skipped = queue.SkipTo - Math.Max(0, committed);
            entry.GivenUp += skipped;
            _offsets.Commit(group, topic, queueId, queue.SkipTo);
            Log.HandoverSkipped(_logger, group, topic, queueId, skipped, queue.SkipTo);
        }

        QueueOwnership next = queue.Complete(committed);
        Log.HandoverEnded(_logger, group, topic, queueId, next.Owner, next.Start, look.GivenUp);
        return next;
    }

    private void WriteDirty()
    {
        List<GrayEntry> dirty = [.. _entries.Values.Where(entry => entry.IsDirty)];
        if (dirty.Count > 0)
        {
            _store.Write(null, [.. dirty.Select(entry => entry.ToState())], []);
            dirty.ForEach(entry => entry.IsDirty = false);
        }
    }

    // An administrator has moved the group: its owners begin there.
    private void OnMoved(string group, string topic)
    {
        lock (_working)
        {
            if (!_entries.TryGetValue(group, out GrayEntry? entry)
                || !entry.Group.Topics.TryGetValue(topic, out QueueOwnership[]? queues))
            {
                return;
            }

            QueueOwnership[] moved =
            [
                .. queues.Select((queue, queueId) =>
                    queue with { Start = Math.Min(queue.Start, Math.Max(0, _offsets.Find(group, topic, queueId))) }),
            ];
            var changed = new Dictionary<string, QueueOwnership[]> { [topic] = moved };
            _store.Write(null, [entry.ToState(changed)], []);
            entry.Group.Apply(changed);
            _table.Changed();
        }
    }
}
