using System.Diagnostics.CodeAnalysis;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.NameServer.Routes;

/// <summary>
/// Where topics live, as clients and people ask for it, and as people change it. Each answer is of one moment. A change is
/// rare beside the route queries, which find theirs encoded (<see cref="RouteAnswers"/>) and take no lock.
/// </summary>
internal sealed class RouteTable(RouteState state, LiveOptions options)
{
    /// <summary>Goes up when a node, its address, its zone or its filter servers change.</summary>
    public long BrokersVersion => state.Groups.Version;

    /// <summary>Registered nodes, slaves included.</summary>
    public int NodeCount
    {
        get
        {
            lock (state.Lock)
            {
                return state.Live.Count;
            }
        }
    }

    public int TopicCount => state.Topics.Count;

    /// <summary>Looks a topic up without a lock.</summary>
    public bool TryFindTopic(ReadOnlySpan<char> name, [NotNullWhen(true)] out TopicRoute? topic) =>
        state.Topics.TryFind(name, out topic);

    /// <summary>The route of a topic that has queues at a living broker, with the versions it is made of.</summary>
    public bool TryDescribe(
        string topic, [NotNullWhen(true)] out TopicRouteData? route, out long topicVersion, out long brokersVersion)
    {
        lock (state.Lock)
        {
            route = null;
            topicVersion = 0;
            brokersVersion = state.Groups.Version;
            if (!state.Topics.TryFind(topic, out TopicRoute? found))
            {
                return false;
            }

            topicVersion = found.Version;
            route = new TopicRouteData { QueueDatas = [.. found.Queues.Values] };
            foreach (string name in found.Queues.Keys)
            {
                BrokerGroup group = state.Groups[name];
                route.BrokerDatas.Add(group.ToBrokerData());
                foreach (string address in group.Addresses.Values)
                {
                    var node = new BrokerIdentity(group.Cluster, address);
                    if (state.Live.TryFind(node, out LiveBroker? live) && live.FilterServers.Count > 0)
                    {
                        route.FilterServerTable[address] = [.. live.FilterServers];
                    }
                }
            }

            if (found.Mappings.Count > 0)
            {
                route.TopicQueueMappingByBroker = new Dictionary<string, TopicQueueMappingInfo>(found.Mappings);
            }
        }

        if (options.Current.SupportActingMaster)
        {
            ActingMaster.NameIn(route, topic);
        }

        return true;
    }

    /// <summary>A topic's queues at each broker that has it; empty when there is no such topic.</summary>
    public IReadOnlyList<QueueData> ListQueues(string topic)
    {
        lock (state.Lock)
        {
            return state.Topics.TryFind(topic, out TopicRoute? found) ? [.. found.Queues.Values] : [];
        }
    }

    public ClusterInfo DescribeClusters()
    {
        lock (state.Lock)
        {
            return state.Groups.Describe();
        }
    }

    public BrokerMemberGroup DescribeMembers(string cluster, string brokerName)
    {
        lock (state.Lock)
        {
            return new BrokerMemberGroup
            {
                BrokerAddrs = state.Groups.TryFind(brokerName, out BrokerGroup? group) ? new(group.Addresses) : [],
                BrokerName = brokerName,
                Cluster = cluster,
            };
        }
    }

    /// <summary>The names of all topics.</summary>
    public List<string> ListTopics() => [.. state.Topics.Names];

    /// <summary>The names of the topics whose system flags satisfy a condition (RocketMQ: TopicSysFlag).</summary>
    public List<string> ListTopics(Predicate<int> topicSysFlag)
    {
        lock (state.Lock)
        {
            return
            [
                .. state.Topics.All.Where(topic => topicSysFlag(topic.Queues.Values.First().TopicSysFlag)).Select(topic => topic.Name),
            ];
        }
    }

    /// <summary>The names of the topics that have queues in a cluster.</summary>
    public List<string> ListTopicsOf(string cluster)
    {
        lock (state.Lock)
        {
            return [.. state.Groups.NamesOf(cluster).SelectMany(name => state.Groups[name].Topics).Distinct(StringComparer.Ordinal)];
        }
    }

    /// <summary>The topics that every cluster has, named like itself and like its brokers; and any node's address.</summary>
    public TopicList ListSystemTopics()
    {
        lock (state.Lock)
        {
            return state.Groups.ListSystemTopics();
        }
    }

    /// <summary>Takes the write permission from all topics of a broker, or gives it back; returns how many.</summary>
    public int SetWritable(string brokerName, bool writable)
    {
        lock (state.Lock)
        {
            if (!state.Groups.TryFind(brokerName, out BrokerGroup? group))
            {
                return 0;
            }

            state.Topics.SetWritable(group, writable);
            return group.Topics.Count;
        }
    }

    /// <summary>
    /// Adds a topic's queues at brokers that are registered; false, with nothing added, when one is not, or too many topics are.
    /// </summary>
    public bool RegisterTopic(string topic, IReadOnlyList<QueueData> queues)
    {
        lock (state.Lock)
        {
            bool beyondLimit = !state.Topics.Contains(topic) && state.Topics.Count >= NameServerLimits.MaxTopics;
            if (beyondLimit || queues.Any(queue => !state.Groups.Contains(queue.BrokerName)))
            {
                return false;
            }

            foreach (QueueData queue in queues)
            {
                state.Topics.SetQueues(state.Groups[queue.BrokerName], topic, queue);
            }

            return true;
        }
    }

    /// <summary>Forgets a topic, in one cluster or (null) everywhere; true when it was known there.</summary>
    public bool DeleteTopic(string topic, string? cluster)
    {
        lock (state.Lock)
        {
            if (!state.Topics.TryFind(topic, out TopicRoute? route))
            {
                return false;
            }

            string[] brokers =
                [.. route.Queues.Keys.Where(name => cluster is null || state.Groups.NamesOf(cluster).Contains(name))];
            foreach (string broker in brokers)
            {
                state.Topics.RemoveQueues(state.Groups[broker], topic);
            }

            return brokers.Length > 0;
        }
    }
}
