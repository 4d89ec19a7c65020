using System.Collections.Concurrent;
using GrayMQ.Broker.Names;
using GrayMQ.Broker.Topics;

namespace GrayMQ.Broker.Popping;

/// <summary>What groups pop, by group and topic; asking by the bytes of a request allocates nothing.</summary>
internal sealed class PopTargets
{
    private readonly ConcurrentDictionary<GroupTopic, PopTarget> _targets = new(GroupTopicComparer.Instance);
    private readonly ConcurrentDictionary<GroupTopic, PopTarget>.AlternateLookup<GroupTopicUtf8> _targetsByUtf8;

    public PopTargets() => _targetsByUtf8 = _targets.GetAlternateLookup<GroupTopicUtf8>();

    public IEnumerable<PopTarget> All => _targets.Values;

    /// <summary>The target of a group and a topic that both exist; a new one when the topic was made anew.</summary>
    public PopTarget Get(string group, ReadOnlySpan<byte> utf8Group, Topic topic)
    {
        while (true)
        {
            if (!_targetsByUtf8.TryGetValue(new GroupTopicUtf8(utf8Group, topic.NameUtf8.Span), out PopTarget? target))
            {
                return _targets.GetOrAdd(new GroupTopic(group, topic.Name), new PopTarget(group, topic));
            }

            if (ReferenceEquals(target.Topic, topic))
            {
                return target;
            }

            _targets.TryRemove(KeyValuePair.Create(new GroupTopic(group, topic.Name), target));
        }
    }

    public PopTarget? Find(ReadOnlySpan<byte> utf8Group, ReadOnlySpan<byte> utf8Topic) =>
        _targetsByUtf8.TryGetValue(new GroupTopicUtf8(utf8Group, utf8Topic), out PopTarget? target) ? target : null;

    public PopTarget? Find(string group, string topic) => _targets.GetValueOrDefault(new GroupTopic(group, topic));

    /// <returns>Those that are gone.</returns>
    public IReadOnlyList<PopTarget> RemoveTopic(string topic) => Remove(name => name.Topic == topic);

    /// <inheritdoc cref="RemoveTopic"/>
    public IReadOnlyList<PopTarget> RemoveGroup(string group) => Remove(name => name.Group == group);

    private List<PopTarget> Remove(Func<GroupTopic, bool> match)
    {
        var removed = new List<PopTarget>();
        foreach (KeyValuePair<GroupTopic, PopTarget> pair in _targets)
        {
            if (match(pair.Key) && _targets.TryRemove(pair))
            {
                removed.Add(pair.Value);
            }
        }

        return removed;
    }
}
