using System.Collections.Concurrent;
using GrayMQ.Broker.Locks;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Gray;

/// <summary>A topic that is about to have other gray queues.</summary>
/// <param name="Queues">All its queues, whose ends are to be known.</param>
internal readonly record struct MappingPlan(string Topic, QueueMapping Next, LogicQueue[] Queues);

/// <summary>
/// Keeps the order of keys that move from one queue to another when a topic is switched on or off: a group that consumes in order is given
/// what lies behind the switch only once it has consumed what lay before it in the queues that its keys come from. Groups with a release and
/// without. A wait is only ever for what was stored before a switch, and for a side that has somebody to consume it, so that none can wait for another in
/// a circle.
/// </summary>
/// <remarks>
/// Changed by <see cref="GrayWork"/> alone, asked by every pull and every pop in order, of which most find nothing: a group that does not
/// consume in order is told so before anything is looked at.
/// </remarks>
internal sealed class KeyOrder
{
    private static readonly Dictionary<(string Topic, int QueueId), string> NoReasons = [];

    private readonly TopicTable _topics;
    private readonly ConsumerOffsetTable _offsets;
    private readonly QueueLockTable _locks;
    private readonly MessageStore _messages;
    private readonly GrayQueueFacts _facts;
    private readonly GrayTable _table;
    private readonly TimeSpan _returnWait;
    private readonly Action<string> _wake;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, Known> _mappings = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Waiting, bool> _waiting = new();

    /// <param name="mappings">What was on disk: topics that are there are taken over, no further than their queues go.</param>
    /// <param name="returnWait">A side of which nobody is connected for so long is not waited for.</param>
    /// <param name="wake">Called with a group that is to look again.</param>
    public KeyOrder(
        IEnumerable<TopicMapping> mappings,
        TopicTable topics,
        ConsumerOffsetTable offsets,
        QueueLockTable locks,
        MessageStore messages,
        GrayQueueFacts facts,
        GrayTable table,
        TimeSpan returnWait,
        Action<string> wake,
        TimeProvider time,
        ILogger logger)
    {
        _topics = topics;
        _offsets = offsets;
        _locks = locks;
        _facts = facts;
        _table = table;
        _returnWait = returnWait;
        _time = time;
        _logger = logger;
        _messages = messages;
        _wake = wake;
        var outOfDate = new List<TopicMapping>();
        foreach (TopicMapping mapping in mappings)
        {
            TopicMapping now = topics.Find(mapping.Topic) is null
                ? new TopicMapping { Topic = mapping.Topic, Now = QueueMapping.None }
                : Pruned(mapping with { Changes = [.. mapping.Changes.Select(change => Clamped(mapping.Topic, change))] });
            if (!now.IsEmpty)
            {
                _mappings[mapping.Topic] = new Known(now);
            }

            if (now.IsEmpty || !now.Changes.SequenceEqual(mapping.Changes))
            {
                outOfDate.Add(now);
            }
        }

        OutOfDate = outOfDate;
    }

    /// <summary>What is to be on disk in the place of what was: topics are gone, or have lost their last messages.</summary>
    public IReadOnlyList<TopicMapping> OutOfDate { get; }

    /// <summary>No topic's keys have moved.</summary>
    public bool IsEmpty => _mappings.Values.All(known => known.Mapping.Changes.Count == 0);

    /// <summary>The topics that are about to have other gray queues.</summary>
    /// <param name="live">Topics that are about to be gray, with their queues.</param>
    public List<MappingPlan> Plan(IReadOnlyDictionary<string, GrayQueues> live)
    {
        var plan = new List<MappingPlan>();
        foreach (string name in live.Keys.Union(_mappings.Keys, StringComparer.Ordinal))
        {
            QueueMapping next = QueueMapping.Of(live.TryGetValue(name, out GrayQueues queues) ? queues : null);
            QueueMapping before = _mappings.GetValueOrDefault(name)?.Mapping.Now ?? QueueMapping.None;
            if (next != before && _topics.Find(name) is { IsRetry: false } topic)
            {
                int count = GrayPlan.AllQueuesOf(topic.Config);
                plan.Add(new MappingPlan(
                    name, next, [.. Enumerable.Range(0, count).Select(queueId => _messages.GetQueue(topic.NameUtf8.Span, queueId))]));
            }
        }

        return plan;
    }

    /// <summary>The topics of a plan as they are once it is carried out.</summary>
    /// <param name="ends">Of all queues of the plan, in its order.</param>
    public List<TopicMapping> Changed(IEnumerable<MappingPlan> plan, long[] ends)
    {
        var changed = new List<TopicMapping>();
        int at = 0;
        foreach (MappingPlan each in plan)
        {
            TopicMapping now = _mappings.GetValueOrDefault(each.Topic)?.Mapping ?? new TopicMapping { Topic = each.Topic, Now = QueueMapping.None };
            var change = new MappingChange { Before = now.Now, After = each.Next, Ends = ends[at..(at += each.Queues.Length)] };
            changed.Add(Pruned(now with { Now = each.Next, Changes = [.. now.Changes.Append(change).TakeLast(TopicMapping.MaxChanges)] }));
        }

        return changed;
    }

    /// <summary>From now on queues are mapped so; what is empty is forgotten.</summary>
    public void Apply(List<TopicMapping> changed)
    {
        foreach (TopicMapping mapping in changed)
        {
            if (mapping.IsEmpty)
            {
                _mappings.TryRemove(mapping.Topic, out _);
            }
            else
            {
                _mappings[mapping.Topic] = new Known(mapping);
            }
        }
    }

    /// <summary>Topics of which the last messages from before a change are gone, as they are without that. Nearly always none.</summary>
    public List<TopicMapping> Outlived()
    {
        var outlived = new List<TopicMapping>();
        foreach (Known known in _mappings.Values)
        {
            TopicMapping mapping = known.Mapping;
            if (mapping.Changes.Count > 0 && IsOutlived(mapping.Topic, mapping.Changes[0]))
            {
                outlived.Add(Pruned(mapping));
            }
        }

        return outlived;
    }

    /// <summary>The topic is no more; false when nothing was known of it.</summary>
    public bool Forget(string topic) => _mappings.TryRemove(topic, out _);

    /// <summary>
    /// Below which offset a queue may be consumed by a group that consumes in order; <see cref="long.MaxValue"/> for all of it. Allocates
    /// nothing for a group that does not.
    /// </summary>
    /// <param name="sides">The group's, where it has a release.</param>
    /// <param name="isOrdered">Whether it is known to consume in order; else its locks say so.</param>
    public long EndFor(string group, GrayGroup? sides, Topic topic, int queueId, bool isOrdered = false)
    {
        return (isOrdered || _locks.IsAnyHeldByASideOf(group))
            && _mappings.TryGetValue(topic.Name, out Known? known)
            && FirstLeft(known, group, sides, topic, queueId, out _) is { } change
                ? change.EndOf(queueId)
                : long.MaxValue;
    }

    /// <summary>Why those of a group who consume in order wait, by topic and queue, for people. Nearly always nothing.</summary>
    public IReadOnlyDictionary<(string Topic, int QueueId), string> ReasonsOf(string group)
    {
        if (_waiting.IsEmpty)
        {
            return NoReasons;
        }

        var reasons = new Dictionary<(string Topic, int QueueId), string>();
        foreach (Waiting of in _waiting.Keys)
        {
            if (of.Group == group && ReasonOf(of) is { } reason)
            {
                reasons[(of.Topic.Name, of.QueueId)] = reason;
            }
        }

        return reasons;
    }

    /// <summary>Someone of a group waits at the end that <see cref="EndFor"/> gave, and is to be woken when it is another.</summary>
    public void Wait(string group, Topic topic, int queueId, long end, bool isOrdered = false)
    {
        var waiting = new Waiting(group, topic, queueId, end, isOrdered);
        if (_waiting.TryAdd(waiting, true) && ReasonOf(waiting) is { } reason)
        {
            Log.KeyWaits(_logger, group, topic.Name, queueId, end, reason);
        }
    }

    /// <summary>Wakes who waits for nothing any more, or for something else. To be called now and then.</summary>
    public void WakeWaiting()
    {
        foreach (Waiting of in _waiting.Keys)
        {
            if (EndFor(of.Group, _table.FindGroup(of.Group), of.Topic, of.QueueId, of.IsOrdered) != of.End && _waiting.TryRemove(of, out _))
            {
                _wake(of.Group);
            }
        }
    }

    private string? ReasonOf(Waiting of) =>
        _mappings.TryGetValue(of.Topic.Name, out Known? known)
        && FirstLeft(known, of.Group, _table.FindGroup(of.Group), of.Topic, of.QueueId, out QueueEnd origin) is { } change
            ? $"in order: what lies from offset {change.EndOf(of.QueueId)} on waits until queue {origin.QueueId} is consumed up to {origin.Offset}"
            : null;

    private MappingChange? FirstLeft(Known known, string group, GrayGroup? sides, Topic topic, int queueId, out QueueEnd left)
    {
        for (int i = 0; i < known.Chain.Changes.Count; i++)
        {
            foreach (QueueEnd end in known.Chain.Before(i, queueId))
            {
                if (IsLeft(group, sides, topic, end))
                {
                    left = end;
                    return known.Chain.Changes[i];
                }
            }
        }

        left = default;
        return null;
    }

    // Whether the group has something to consume before an offset, and anybody who is to.
    private bool IsLeft(string group, GrayGroup? sides, Topic topic, QueueEnd end)
    {
        if (end.QueueId >= topic.Config.ReadQueueNums
            || _messages.FindQueue(topic.NameUtf8.Span, end.QueueId) is not { } queue
            || queue.MinOffset >= end.Offset)
        {
            return false;
        }

        // A group that never consumed the queue begins where its clients say, which may be behind all this.
        long committed = _offsets.Find(group, topic.Name, end.QueueId);
        return committed != ConsumerOffsetTable.None
            && committed < end.Offset
            && (sides is not { Release.IsOpen: true } || IsConsumed(sides, topic, end.QueueId));
    }

    // Whether anybody consumes a queue. Not so once a release has been forced, which gives up the order as well; nor where nobody of its side
    // has been there for a while: who would wait for him may be the one whom the end of the release waits for.
    private bool IsConsumed(GrayGroup sides, Topic topic, int queueId) =>
        sides.Release.Forced == 0
        && sides.Find(topic.NameUtf8.Span, queueId)?.Owner is { } owner
        && sides.AbsentSinceMs(owner, topic.Name) is { } since
        && (since == 0 || _time.GetUtcNow().ToUnixTimeMilliseconds() - since < _returnWait.TotalMilliseconds);

    // Without the changes from before which there are no messages any more.
    private TopicMapping Pruned(TopicMapping mapping) => mapping with
    {
        Changes = [.. mapping.Changes.SkipWhile(change => IsOutlived(mapping.Topic, change))],
    };

    private bool IsOutlived(string topic, MappingChange change)
    {
        for (int queueId = 0; queueId < change.Ends.Count; queueId++)
        {
            if ((_messages.FindQueue(topic, queueId)?.MinOffset ?? 0) < change.Ends[queueId])
            {
                return false;
            }
        }

        return true;
    }

    private MappingChange Clamped(string topic, MappingChange change) =>
        new() { Before = change.Before, After = change.After, Ends = [.. change.Ends.Select((end, queueId) => Math.Min(end, _facts.EndOf(topic, queueId)))] };

    private readonly record struct Waiting(string Group, Topic Topic, int QueueId, long End, bool IsOrdered);

    private sealed class Known(TopicMapping mapping)
    {
        public TopicMapping Mapping { get; } = mapping;

        public MappingChain Chain { get; } = new(mapping.Changes);
    }
}
