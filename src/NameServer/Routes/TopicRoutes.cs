using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Routes;

/// <summary>
/// Which topics have queues at which broker names; a topic without queues is forgotten. Looked up without a lock, changed
/// under that of <see cref="RouteState"/>.
/// </summary>
internal sealed class TopicRoutes(ILogger logger)
{
    private readonly ConcurrentDictionary<string, TopicRoute> _topics = new(StringComparer.Ordinal);

    public int Count => _topics.Count;

    public ICollection<string> Names => _topics.Keys;

    public IEnumerable<TopicRoute> All => _topics.Values;

    public bool Contains(string name) => _topics.ContainsKey(name);

    public bool TryFind(ReadOnlySpan<char> name, [NotNullWhen(true)] out TopicRoute? topic) =>
        _topics.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out topic);

    /// <summary>Sets a topic's queues at one broker; without a change nothing is noted as changed.</summary>
    public void SetQueues(BrokerGroup group, string name, QueueData queues)
    {
        TopicRoute topic = _topics.GetOrAdd(name, static name => new TopicRoute(name));
        if (!topic.Queues.TryGetValue(group.Name, out QueueData? before) || before != queues)
        {
            topic.Queues[group.Name] = queues;
            topic.Changed();
            group.Topics.Add(name);
        }
    }

    /// <summary>Takes what a broker registers.</summary>
    /// <param name="changed">Whether its topics have changed since it registered last; if not, only new ones are looked at.</param>
    /// <param name="deleteOthers">Whether topics that it does not name are no longer there; static topics are left alone.</param>
    /// <param name="wipeWrite">Whether it may be read from only.</param>
    public void Take(
        BrokerGroup group, TopicConfigAndMappingSerializeWrapper topics, bool changed, bool deleteOthers, bool wipeWrite)
    {
        if (deleteOthers && topics.TopicQueueMappingInfoMap.Count == 0)
        {
            var named = topics.TopicConfigTable.Values.Select(topic => topic.TopicName).ToHashSet(StringComparer.Ordinal);
            foreach (string gone in group.Topics.Where(topic => !named.Contains(topic)).ToList())
            {
                RemoveQueues(group, gone);
                Log.TopicLeftBroker(logger, gone, group.Name);
            }
        }

        foreach (TopicConfig topic in topics.TopicConfigTable.Values)
        {
            if (changed || !group.Topics.Contains(topic.TopicName))
            {
                SetQueues(group, topic.TopicName, new QueueData
                {
                    BrokerName = group.Name,
                    Perm = wipeWrite ? topic.Perm & ~TopicPermission.Write : topic.Perm,
                    ReadQueueNums = topic.ReadQueueNums,
                    TopicSysFlag = topic.TopicSysFlag,
                    WriteQueueNums = topic.WriteQueueNums,
                });
            }
        }

        if (changed)
        {
            foreach ((string name, TopicQueueMappingInfo mapping) in topics.TopicQueueMappingInfoMap)
            {
                SetMapping(mapping.Bname ?? group.Name, name, mapping);
            }
        }
    }

    public void RemoveAll(BrokerGroup group)
    {
        foreach (string name in group.Topics.ToList())
        {
            RemoveQueues(group, name);
        }
    }

    public void RemoveQueues(BrokerGroup group, string name)
    {
        TopicRoute topic = _topics[name];
        topic.Queues.Remove(group.Name);
        topic.Mappings.Remove(group.Name);
        topic.Changed();
        group.Topics.Remove(name);
        if (topic.Queues.Count == 0)
        {
            _topics.TryRemove(name, out _);
        }
    }

    public void SetWritable(BrokerGroup group, bool writable)
    {
        foreach (string name in group.Topics)
        {
            QueueData queues = _topics[name].Queues[group.Name];
            SetQueues(group, name, queues with
            {
                Perm = writable ? TopicPermission.ReadWrite : queues.Perm & ~TopicPermission.Write,
            });
        }
    }

    // Of a static topic; one without queues has no route to carry it.
    private void SetMapping(string brokerName, string name, TopicQueueMappingInfo mapping)
    {
        if (_topics.TryGetValue(name, out TopicRoute? topic))
        {
            topic.Mappings[brokerName] = mapping;
            topic.Changed();
        }
    }
}
