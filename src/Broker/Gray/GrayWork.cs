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
    // More than follow from each other: topics, then their retry topics, once for each handover that waits behind another.
    private const int MaxRounds = 3 * QueueOwnership.MaxHandovers;

    private readonly GrayOptions _options;
    private readonly GrayTable _table;
    private readonly GrayStore _store;
    private readonly TopicTable _topics;
    private readonly ClientRegistry _clients;
    private readonly ConsumerOffsetTable _offsets;
    private readonly MessageStore _messages;
    private readonly GrayStarts _starts;
    private readonly GrayRoster _roster;
    private readonly GrayBoundaries _boundaries;
    private readonly GraySettlement _settlement;
    private readonly GrayQueueFacts _facts;
    private readonly KeyOrder _keys;
    private readonly GraySkips _skips;
    private readonly Action<string> _wake;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _working = new();
    private readonly ITimer _timer;
    private Dictionary<string, GrayEntry> _entries;
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
        _roster = new GrayRoster(options, clients, offsets, Signal);
        var handovers = new GrayHandovers(options, offsets, logger);
        _keys = new KeyOrder(
            store.ReadMappings(), topics, offsets, clients.Locks, messages, facts, table, options.ReturnWait, wake, time, logger);
        if (_keys.OutOfDate.Count > 0)
        {
            store.Write(null, [], [], _keys.OutOfDate);
        }

        _table.KeyOrder = _keys.IsEmpty ? null : _keys;
        _skips = new GraySkips(store.ReadSkips(), messages, options.KeepSkips, logger);
        _table.Skips = _skips.IsEmpty ? null : _skips;
        _boundaries = new GrayBoundaries(messages, table, store, handovers, facts, _keys, _skips, clients.Producers, wake);
        _settlement = new GraySettlement(table, store, handovers, facts, wake);
        _acting = store.ReadSnapshot() ?? GraySnapshot.Empty;
        _wanted = _acting;
        _entries = new GrayRecovery(store, topics, offsets, facts, options, _roster).Recover(_acting, NowMs());
        foreach (GrayEntry entry in _entries.Values)
        {
            clients.Consumers.RestoreSides(
                entry.Group.Name,
                entry.Group.Release.IsOpen ? entry.Clients.Of(Side.Gray).ToHashSet(StringComparer.Ordinal) : new HashSet<string>(),
                entry.Group.Retired);
        }

        _topics.Changed += _ => SignalIfGray();
        _clients.Consumers.GroupChanged += OnGroupChanged;
        _clients.Consumers.IsGray = (group, client) =>
            _table.FindGroup(group.Name) is { } sides && sides.StandingOf(client) == Standing.Gray;
        _clients.Consumers.IsRetired = (group, client) =>
            _table.FindGroup(group.Name) is { } sides && sides.StandingOf(client) == Standing.Retired;

        // Before, so that a start does not bring back, after a restart, a group that was moved before it; and after, since a group that is
        // given the offsets of another has none in the queues in which that one has none.
        _offsets.Moving += (group, topic, offsets) =>
            LowerStarts(group, topic, queueId => offsets.GetValueOrDefault(queueId, long.MaxValue));
        _offsets.Moved += (group, topic) => LowerStarts(group, topic, queueId => Math.Max(0, _offsets.Find(group, topic, queueId)));
        _timer = time.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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
    /// <exception cref="KeyValueStoreException">
    /// It cannot be written: queues and messages stay whose they are, and <see cref="Acting"/> is the state of before. It is tried again at
    /// every look, until it can be written or another state is to be followed.
    /// </exception>
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
            return GrayReport.Make(_options, _acting, _entries.Values, _topics, _clients.Consumers, _facts, _keys, _skips, NowMs());
        }
    }

    /// <summary>Messages that nobody is to consume, by release: of those that are not over or were shortly ago, and of those that were withdrawn
    /// with what they left skipped, for as long as any of it may come.</summary>
    public List<(string Group, long Generation, long Count)> GivenUp()
    {
        lock (_working)
        {
            return
            [
                .. _entries.Values
                    .Where(entry => entry.EndedMs == 0 || _skips.Find(entry.Group.Name, entry.Group.Release.Generation) is null)
                    .Select(entry => (entry.Group.Name, entry.Group.Release.Generation, entry.GivenUp))
                    .Concat(_skips.All.Select(mark => (mark.Terms.Group, mark.Terms.Generation, mark.Skipped)))
                    .GroupBy(each => (each.Item1, each.Item2))
                    .Select(each => (each.Key.Item1, each.Key.Item2, each.Sum(part => part.Item3)))
                    .Where(each => each.Item3 > 0),
            ];
        }
    }

    /// <summary>A topic is no more: what is known of its queues does not hold for another of its name.</summary>
    /// <exception cref="KeyValueStoreException">It cannot be written; at the next start topics that are not there are left out.</exception>
    public void ForgetTopic(string topic)
    {
        lock (_working)
        {
            bool hadMoved = _keys.Forget(topic);
            List<GrayEntry> changed = [.. _entries.Values.Where(entry => entry.Group.Forget(topic))];
            _table.KeyOrder = _keys.IsEmpty ? null : _keys;
            if (changed.Count > 0 || hadMoved)
            {
                TopicMapping[] forgotten = hadMoved ? [new TopicMapping { Topic = topic, Now = QueueMapping.None }] : [];
                _store.Write(null, [.. changed.Select(entry => entry.ToState())], [], forgotten);
                _table.Changed();
            }
        }
    }

    /// <summary>A group is no more, and its offsets perhaps neither: where its owners began says nothing of another of its name.</summary>
    /// <exception cref="KeyValueStoreException">It cannot be written.</exception>
    public void ForgetGroup(string group)
    {
        lock (_working)
        {
            if (_entries.TryGetValue(group, out GrayEntry? entry))
            {
                entry.Group.Told.Clear();
                Rewrite(entry, entry.Group.Topics.ToDictionary(
                    pair => pair.Key, pair => (QueueOwnership[])[.. pair.Value.Select(queue => queue with { Start = 0 })]));
            }

            WriteSkips(_skips.Forgetting(group));
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

    private void Look()
    {
        SignalIfGray();
        _keys.WakeWaiting();
        if (_keys.Outlived().Count > 0 || _skips.Changes(NowMs()).Count > 0)
        {
            Signal();
        }
    }

    private void SignalIfGray()
    {
        // Also where nothing is gray here: a topic of the state may have been made since.
        if (_table.View is not null || Acting.Topics.Count > 0 || !ReferenceEquals(Volatile.Read(ref _wanted), Acting))
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

    // Everything that there is to do now. Under the lock: nobody is told that all is done while something follows from what was done last.
    private void Step()
    {
        for (int round = 0; round < MaxRounds && StepOnce(); round++)
        {
        }
    }

    // True when queues have changed hands, from which more may follow.
    private bool StepOnce()
    {
        long now = NowMs();
        GraySnapshot snapshot = _wanted;
        Dictionary<string, GrayEntry> entries = _roster.Next(_entries, snapshot, now, out List<string> gone, out HashSet<string> resided);
        var plan = new GrayPlan(snapshot, _topics, _offsets, _starts, _messages);
        plan.AddTopics();
        foreach (GrayEntry entry in entries.Values.Where(entry => entry.EndedMs == 0))
        {
            ConsumerGroup? consumers = _clients.Consumers.Find(entry.Group.Name);
            GrayRelease release = entry.Group.Release;
            TimeSpan? absence = release.AbsenceMs == GrayRelease.ForEver ? null : TimeSpan.FromMilliseconds(release.AbsenceMs);
            entry.IsDirty |= entry.Subscribers.Refresh(entry.Group, consumers, now, absence, entry.Group.Leaving);
            entry.CompareSides(consumers);
            if (entry.Clients.Refresh(entry.Group, consumers, out bool hasChanged))
            {
                resided.Add(entry.Group.Name);
            }

            if (hasChanged)
            {
                entry.Group.Know(entry.Clients.ToDictionary());
                entry.IsDirty = true;
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

        bool hasSettled = _settlement.Settle(_entries.Values, now);
        WriteDirty();
        WriteSkips(_skips.Changes(now));
        WriteMappings(_keys.Outlived());
        foreach (string group in resided)
        {
            if (_clients.Consumers.Find(group) is { } consumers)
            {
                _clients.Notifier.Changed(consumers);
            }

            _wake(group);
        }

        return hasSettled;
    }

    private static bool SameQueues(IReadOnlyDictionary<string, GrayQueues> one, IReadOnlyDictionary<string, GrayQueues> other) =>
        one.Count == other.Count && one.All(pair => other.TryGetValue(pair.Key, out GrayQueues queues) && queues == pair.Value);

    // Goes on to a state, with every boundary that it asks for; a state that cannot be written is not gone on to.
    private void Turn(
        GraySnapshot snapshot, Dictionary<string, GrayEntry> entries, List<string> gone, GrayPlan plan, long now)
    {
        bool isNew = !ReferenceEquals(snapshot, _acting);
        _boundaries.Take(snapshot, isNew, entries.Values, gone, plan, now);
        _entries = entries;
        foreach (GrayEntry entry in entries.Values)
        {
            entry.IsDirty = false;
        }

        if (isNew)
        {
            Log.GrayStateTaken(_logger, snapshot.Version.ToString(), plan.Live.Count, entries.Count);
            Volatile.Write(ref _acting, snapshot);
        }
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

    private void WriteMappings(List<TopicMapping> outlived)
    {
        if (outlived.Count > 0)
        {
            _store.Write(null, [], [], outlived);
            _keys.Apply(outlived);
            _table.KeyOrder = _keys.IsEmpty ? null : _keys;
            Log.KeyOrderForgotten(_logger, string.Join(',', outlived.Select(mapping => mapping.Topic)));
        }
    }

    private void WriteSkips(List<GraySkipChange> changes)
    {
        if (changes.Count > 0)
        {
            _store.Write(null, [], [], skips: changes);
            _skips.Apply(changes);
            _table.Skips = _skips.IsEmpty ? null : _skips;
        }
    }

    // An administrator moves the group: its owners begin no later than there.
    private void LowerStarts(string group, string topic, Func<int, long> offsetOf)
    {
        lock (_working)
        {
            if (_entries.TryGetValue(group, out GrayEntry? entry)
                && entry.Group.Topics.TryGetValue(topic, out QueueOwnership[]? queues)
                && queues.Where((queue, queueId) => queue.Start > offsetOf(queueId)).Any())
            {
                Rewrite(entry, new Dictionary<string, QueueOwnership[]>
                {
                    [topic] = [.. queues.Select((queue, queueId) => queue with { Start = Math.Min(queue.Start, offsetOf(queueId)) })],
                });
            }
        }
    }

    private void Rewrite(GrayEntry entry, Dictionary<string, QueueOwnership[]> changed)
    {
        _store.Write(null, [entry.ToState(changed)], []);
        entry.Group.Apply(changed);
        _table.Changed();
    }
}
