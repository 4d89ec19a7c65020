using System.Collections.Concurrent;
using GrayMQ.Broker.Locks;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Broker.Gray;

/// <summary>A topic that is about to have other gray queues.</summary>
/// <param name="Queues">All its queues, whose ends are to be known.</param>
internal readonly record struct MappingPlan(string Topic, QueueMapping Next, LogicQueue[] Queues);

/// <summary>
/// Keeps the order of keys that move from one queue to another when a topic is switched on or off: a group that consumes in order is given
/// what lies behind the switch only once it has consumed what lay before it in the queues that its keys come from. Groups with a release and
/// without. A wait is only ever for what was stored before a switch, so that none can wait for another in a circle.
/// </summary>
/// <remarks>Changed by <see cref="GrayWork"/> alone, asked by every pull and every pop in order, of which most find nothing.</remarks>
internal sealed class KeyOrder
{
    private readonly TopicTable _topics;
    private readonly ConsumerOffsetTable _offsets;
    private readonly QueueLockTable _locks;
    private readonly MessageStore _messages;
    private readonly Action<string> _wake;
    private readonly ConcurrentDictionary<string, TopicMapping> _mappings = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Waiting, GrayGroup?> _waiting = new();

    /// <param name="mappings">What was on disk: topics that are there are taken over, no further than their queues go.</param>
    /// <param name="wake">Called with a group that is to look again.</param>
    public KeyOrder(
        IEnumerable<TopicMapping> mappings,
        TopicTable topics,
        ConsumerOffsetTable offsets,
        QueueLockTable locks,
        MessageStore messages,
        Action<string> wake)
    {
        _topics = topics;
        _offsets = offsets;
        _locks = locks;
        _messages = messages;
        _wake = wake;
        foreach (TopicMapping mapping in mappings.Where(mapping => topics.Find(mapping.Topic) is not null))
        {
            _mappings[mapping.Topic] = Pruned(mapping with
            {
                Changes =
                [
                    .. mapping.Changes.Select(change => change with
                    {
                        Ends = [.. change.Ends.Select((end, queueId) => Math.Min(end, EndOf(mapping.Topic, queueId)))],
                    }),
                ],
            });
        }
    }

    /// <summary>No topic's keys have moved.</summary>
    public bool IsEmpty => _mappings.Values.All(mapping => mapping.Changes.Count == 0);

    /// <summary>The topics that are about to have other gray queues.</summary>
    /// <param name="live">Topics that are about to be gray, with their queues.</param>
    public List<MappingPlan> Plan(IReadOnlyDictionary<string, GrayQueues> live)
    {
        var plan = new List<MappingPlan>();
        foreach (string name in live.Keys.Union(_mappings.Keys, StringComparer.Ordinal))
        {
            QueueMapping next = QueueMapping.Of(live.TryGetValue(name, out GrayQueues queues) ? queues : null);
            QueueMapping before = _mappings.GetValueOrDefault(name)?.Now ?? QueueMapping.None;
            if (next != before && _topics.Find(name) is { IsRetry: false } topic)
            {
                int count = Math.Min(Math.Max(topic.Config.ReadQueueNums, topic.Config.WriteQueueNums), GrayLimits.MaxQueues);
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
            TopicMapping now = _mappings.GetValueOrDefault(each.Topic) ?? new TopicMapping { Topic = each.Topic, Now = QueueMapping.None };
            var change = new MappingChange { Before = now.Now, After = each.Next, Ends = ends[at..(at += each.Queues.Length)] };
            changed.Add(Pruned(now with { Now = each.Next, Changes = [.. now.Changes.Append(change).TakeLast(TopicMapping.MaxChanges)] }));
        }

        return changed;
    }

    /// <summary>From now on queues are mapped so.</summary>
    public void Apply(List<TopicMapping> changed) => changed.ForEach(mapping => _mappings[mapping.Topic] = mapping);

    /// <summary>The topic is no more; false when nothing was known of it.</summary>
    public bool Forget(string topic) => _mappings.TryRemove(topic, out _);

    /// <summary>
    /// Below which offset a queue may be consumed by a group that consumes in order; <see cref="long.MaxValue"/> for all of it. Allocates
    /// nothing where the topic's keys have not moved.
    /// </summary>
    /// <param name="sides">The group's, where it has a release.</param>
    /// <param name="isOrdered">Whether it is known to consume in order; else its locks say so.</param>
    public long EndFor(string group, GrayGroup? sides, Topic topic, int queueId, bool isOrdered = false)
    {
        if (!_mappings.TryGetValue(topic.Name, out TopicMapping? mapping))
        {
            return long.MaxValue;
        }

        foreach (MappingChange change in mapping.Changes)
        {
            foreach (int origin in change.OriginsOf(queueId))
            {
                if (IsLeft(group, sides, topic, origin, change.EndOf(origin)))
                {
                    return isOrdered || _locks.IsAnyHeld(group) || _locks.IsAnyHeld(QueueLockTable.GraySideOf(group))
                        ? change.EndOf(queueId)
                        : long.MaxValue;
                }
            }
        }

        return long.MaxValue;
    }

    /// <summary>Someone of a group waits at the end that <see cref="EndFor"/> gave, and is to be woken when it is another.</summary>
    public void Wait(string group, GrayGroup? sides, Topic topic, int queueId, long end, bool isOrdered = false) =>
        _waiting[new Waiting(group, topic, queueId, end, isOrdered)] = sides;

    /// <summary>Has those look again who wait for nothing any more.</summary>
    public void WakeWaiting()
    {
        foreach ((Waiting of, GrayGroup? sides) in _waiting)
        {
            if (EndFor(of.Group, sides, of.Topic, of.QueueId, of.IsOrdered) != of.End && _waiting.TryRemove(of, out _))
            {
                _wake(of.Group);
            }
        }
    }

    // Whether the group has something to consume before an offset, and anybody who is to.
    private bool IsLeft(string group, GrayGroup? sides, Topic topic, int queueId, long end)
    {
        if (end == 0 || _messages.FindQueue(topic.NameUtf8.Span, queueId) is not { } queue || queue.MinOffset >= end)
        {
            return false;
        }

        // A group that never consumed the queue begins where its clients say, which may be behind all this.
        long committed = _offsets.Find(group, topic.Name, queueId);
        return committed != ConsumerOffsetTable.None
            && committed < end
            && !(sides is { Release.IsOpen: true } && sides.Find(topic.NameUtf8.Span, queueId) is { Owner: null, IsHandedOver: false });
    }

    // Without the changes from before which there are no messages any more.
    private TopicMapping Pruned(TopicMapping mapping) => mapping with
    {
        Changes =
        [
            .. mapping.Changes.SkipWhile(change => Enumerable.Range(0, change.Ends.Count).All(queueId =>
                (_messages.FindQueue(mapping.Topic, queueId)?.MinOffset ?? 0) >= change.Ends[queueId])),
        ],
    };

    private long EndOf(string topic, int queueId) =>
        _messages.FindQueue(topic, queueId) is { } queue ? _messages.NextQueueOffset(queue) : 0;

    private readonly record struct Waiting(string Group, Topic Topic, int QueueId, long End, bool IsOrdered);
}
