using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Routes;

/// <summary>
/// Which nodes live, under which broker names and clusters, and which topics have queues there (RocketMQ: RouteInfoManager).
/// One lock guards it all; a change is rare beside the route queries, which find their answers encoded without it.
/// What has to be told to brokers is returned, not sent.
/// </summary>
internal sealed class RouteTable
{
    /// <summary>RocketMQ: PermName.PERM_WRITE.</summary>
    private const int WritePermission = 2;

    /// <summary>RocketMQ: PermName.PERM_READ and PERM_WRITE.</summary>
    private const int ReadWritePermission = 6;

    /// <summary>Topics that tell slaves apart are never routed to an acting master (RocketMQ: TopicValidator).</summary>
    private const string SyncMemberTopicPrefix = "rmq_sys_SYNC_BROKER_MEMBER_";

    private readonly LiveOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, TopicRoute> _topics = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TopicRoute>.AlternateLookup<ReadOnlySpan<char>> _topicsBySpan;
    private readonly Dictionary<string, BrokerGroup> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _clusters = new(StringComparer.Ordinal);
    private readonly Dictionary<BrokerIdentity, LiveBroker> _live = [];
    private long _brokersVersion;

    public RouteTable(LiveOptions options, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _topicsBySpan = _topics.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Goes up when a node, its address, its zone or its filter servers change.</summary>
    public long BrokersVersion => Volatile.Read(ref _brokersVersion);

    /// <summary>Looks a topic up without a lock.</summary>
    public bool TryFindTopic(ReadOnlySpan<char> name, [NotNullWhen(true)] out TopicRoute? topic) =>
        _topicsBySpan.TryGetValue(name, out topic);

    public RegistrationResult Register(BrokerRegistration registration)
    {
        lock (_lock)
        {
            _groups.TryGetValue(registration.BrokerName, out BrokerGroup? group);
            string? oldAddress = null;
            group?.Addresses.TryGetValue(registration.BrokerId, out oldAddress);
            if (oldAddress is not null && IsOutranked(registration, oldAddress))
            {
                _live.Remove(registration.Node);
                return new RegistrationResult();
            }

            if (Refuse(registration, group, oldAddress) is { } refusal)
            {
                Log.RegistrationRefused(_logger, registration.Node, registration.BrokerName, registration.BrokerId, refusal);
                return new RegistrationResult(refusal);
            }

            if (group is null)
            {
                _groups[registration.BrokerName] = group = new BrokerGroup(registration.BrokerName, registration.Node.Cluster);
                _brokersVersion++;
            }

            Names(registration.Node.Cluster).Add(registration.BrokerName);
            long minBefore = group.Addresses.Count == 0 ? BrokerData.MasterId : group.MinBrokerId;
            PlaceNode(group, registration);
            DataVersion? known = _live.TryGetValue(registration.Node, out LiveBroker? before) ? before.Version : null;
            bool changed = oldAddress is null || known != registration.Topics.DataVersion;
            bool isMaster = registration.BrokerId == BrokerData.MasterId;
            bool isPrimeSlave = !isMaster && registration.EnableActingMaster is not null
                && registration.BrokerId == group.MinBrokerId;
            if (isMaster || isPrimeSlave)
            {
                TakeTopics(group, registration.Topics, changed, wipeWrite: isPrimeSlave && group.EnableActingMaster);
            }

            MarkAlive(registration, before);
            return Answer(group, registration, lowered: registration.BrokerId < minBefore);
        }
    }

    /// <summary>Forgets nodes that left; returns whom to tell.</summary>
    public IReadOnlyList<MinBrokerIdChange> Unregister(params IReadOnlyCollection<BrokerDeparture> departures)
    {
        lock (_lock)
        {
            var changes = new List<MinBrokerIdChange>();
            foreach (BrokerDeparture departure in departures)
            {
                if (Unregister(departure) is { } change)
                {
                    changes.Add(change);
                }
            }

            return changes;
        }
    }

    /// <summary>The nodes whose life is tied to a connection.</summary>
    public IReadOnlyList<BrokerDeparture> FindBy(object connection)
    {
        lock (_lock)
        {
            return
            [
                .. _live.Where(pair => ReferenceEquals(pair.Value.Connection, connection))
                    .Select(pair => new BrokerDeparture(pair.Key, pair.Value.BrokerName, pair.Value.BrokerId)),
            ];
        }
    }

    /// <summary>The nodes that have been silent for too long, each with its connection.</summary>
    public IReadOnlyList<(BrokerDeparture Node, object? Connection, TimeSpan Silence)> FindExpired()
    {
        lock (_lock)
        {
            TimeSpan byDefault = _options.Current.BrokerChannelExpiredTime;
            return
            [
                .. from pair in _live
                   let silence = _time.GetElapsedTime(pair.Value.HeardAt)
                   where silence > (pair.Value.Timeout ?? byDefault)
                   select (new BrokerDeparture(pair.Key, pair.Value.BrokerName, pair.Value.BrokerId), pair.Value.Connection, silence),
            ];
        }
    }

    /// <summary>Notes a sign of life; nothing when the node is not registered.</summary>
    public void Touch(BrokerIdentity node)
    {
        lock (_lock)
        {
            if (_live.TryGetValue(node, out LiveBroker? live))
            {
                live.HeardAt = _time.GetTimestamp();
            }
        }
    }

    /// <summary>The version of the topics that a node registered, or null when it is not registered.</summary>
    public DataVersion? FindVersion(BrokerIdentity node)
    {
        lock (_lock)
        {
            return _live.TryGetValue(node, out LiveBroker? live) ? live.Version : null;
        }
    }

    /// <summary>Takes the write permission from all topics of a broker, or gives it back; returns how many.</summary>
    public int SetWritable(string brokerName, bool writable)
    {
        lock (_lock)
        {
            if (!_groups.TryGetValue(brokerName, out BrokerGroup? group))
            {
                return 0;
            }

            foreach (string name in group.Topics)
            {
                TopicRoute topic = _topics[name];
                QueueData queues = topic.Queues[brokerName];
                SetQueues(group, name, queues with { Perm = writable ? ReadWritePermission : queues.Perm & ~WritePermission });
            }

            return group.Topics.Count;
        }
    }

    /// <summary>Adds a topic's queues at brokers that are registered; false, with nothing added, when one is not.</summary>
    public bool RegisterTopic(string topic, IReadOnlyList<QueueData> queues)
    {
        lock (_lock)
        {
            if (queues.Any(queue => !_groups.ContainsKey(queue.BrokerName)))
            {
                return false;
            }

            foreach (QueueData queue in queues)
            {
                SetQueues(_groups[queue.BrokerName], topic, queue);
            }

            return true;
        }
    }

    /// <summary>Forgets a topic, in one cluster or (null) everywhere; true when it was known there.</summary>
    public bool DeleteTopic(string topic, string? cluster)
    {
        lock (_lock)
        {
            if (!_topics.TryGetValue(topic, out TopicRoute? route))
            {
                return false;
            }

            string[] brokers =
                [.. route.Queues.Keys.Where(name => cluster is null || (_clusters.TryGetValue(cluster, out var names) && names.Contains(name)))];
            foreach (string broker in brokers)
            {
                RemoveQueues(broker, topic);
            }

            return brokers.Length > 0;
        }
    }

    /// <summary>The route of a topic that has queues at a living broker, with the versions it is made of.</summary>
    public bool TryDescribe(
        string topic, [NotNullWhen(true)] out TopicRouteData? route, out long topicVersion, out long brokersVersion)
    {
        lock (_lock)
        {
            route = null;
            topicVersion = 0;
            brokersVersion = _brokersVersion;
            if (!_topics.TryGetValue(topic, out TopicRoute? found))
            {
                return false;
            }

            topicVersion = found.Version;
            route = new TopicRouteData { QueueDatas = [.. found.Queues.Values] };
            foreach (string name in found.Queues.Keys)
            {
                BrokerGroup group = _groups[name];
                route.BrokerDatas.Add(group.ToBrokerData());
                foreach (string address in group.Addresses.Values)
                {
                    if (_live.TryGetValue(new BrokerIdentity(group.Cluster, address), out LiveBroker? live) && live.FilterServers.Count > 0)
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

        if (_options.Current.SupportActingMaster && !topic.StartsWith(SyncMemberTopicPrefix, StringComparison.Ordinal))
        {
            NameActingMasters(route);
        }

        return true;
    }

    public ClusterInfo DescribeClusters()
    {
        lock (_lock)
        {
            return new ClusterInfo
            {
                BrokerAddrTable = _groups.ToDictionary(pair => pair.Key, pair => pair.Value.ToBrokerData()),
                ClusterAddrTable = _clusters.ToDictionary(pair => pair.Key, pair => pair.Value.ToList()),
            };
        }
    }

    public BrokerMemberGroup DescribeMembers(string cluster, string brokerName)
    {
        lock (_lock)
        {
            return new BrokerMemberGroup
            {
                BrokerAddrs = _groups.TryGetValue(brokerName, out BrokerGroup? group) ? new(group.Addresses) : [],
                BrokerName = brokerName,
                Cluster = cluster,
            };
        }
    }

    /// <summary>The names of all topics.</summary>
    public List<string> ListTopics() => [.. _topics.Keys];

    /// <summary>The names of the topics whose system flags satisfy a condition (RocketMQ: TopicSysFlag).</summary>
    public List<string> ListTopics(Predicate<int> topicSysFlag)
    {
        lock (_lock)
        {
            return [.. _topics.Values.Where(topic => topicSysFlag(topic.Queues.Values.First().TopicSysFlag)).Select(topic => topic.Name)];
        }
    }

    /// <summary>The names of the topics that have queues in a cluster.</summary>
    public List<string> ListTopicsOf(string cluster)
    {
        lock (_lock)
        {
            return _clusters.TryGetValue(cluster, out HashSet<string>? names)
                ? [.. names.SelectMany(name => _groups[name].Topics).Distinct(StringComparer.Ordinal)]
                : [];
        }
    }

    /// <summary>The topics that every cluster has, named like itself and like its brokers; and any node's address.</summary>
    public TopicList ListSystemTopics()
    {
        lock (_lock)
        {
            return new TopicList
            {
                BrokerAddr = _groups.Values.FirstOrDefault()?.Addresses.First().Value,
                Topics = [.. _clusters.SelectMany(pair => pair.Value.Prepend(pair.Key))],
            };
        }
    }

    /// <summary>
    /// Whether another node holds this name and id in a newer role: then it keeps them, and this one is not told (RocketMQ:
    /// stateVersion, the epoch that a controller gives).
    /// </summary>
    private bool IsOutranked(BrokerRegistration registration, string oldAddress)
    {
        if (oldAddress == registration.Node.Address
            || !_live.TryGetValue(new BrokerIdentity(registration.Node.Cluster, oldAddress), out LiveBroker? holder)
            || holder.Version.StateVersion <= registration.Topics.DataVersion.StateVersion)
        {
            return false;
        }

        Log.RegistrationOutranked(_logger, registration.Node, registration.BrokerName, registration.BrokerId, oldAddress);
        return true;
    }

    private string? Refuse(BrokerRegistration registration, BrokerGroup? group, string? oldAddress)
    {
        // One topic alone is what a registered broker adds when it creates one: it must not stand for all its topics.
        if (oldAddress is null && registration.Topics.TopicConfigTable.Count == 1)
        {
            return "register broker failed";
        }

        if (!_live.ContainsKey(registration.Node) && _live.Count >= NameServerLimits.MaxNodes)
        {
            return $"{_live.Count} brokers are registered, which is the limit";
        }

        if (group is not null && oldAddress is null && group.Addresses.Count >= NameServerLimits.MaxNodesPerBroker)
        {
            return $"{group.Addresses.Count} nodes are registered as {group.Name}, which is the limit";
        }

        int topics = _topics.Count + registration.Topics.TopicConfigTable.Values.Count(topic => !_topics.ContainsKey(topic.TopicName));
        return topics > NameServerLimits.MaxTopics ? $"it would make {topics} topics: expected at most {NameServerLimits.MaxTopics}" : null;
    }

    private void PlaceNode(BrokerGroup group, BrokerRegistration registration)
    {
        bool actingMaster = registration.EnableActingMaster ?? false;
        if (group.EnableActingMaster != actingMaster || group.Zone != registration.Zone)
        {
            group.EnableActingMaster = actingMaster;
            group.Zone = registration.Zone;
            _brokersVersion++;
        }

        // A node that comes back with another id, as a slave that became master does, must not stay under the old one.
        string address = registration.Node.Address;
        foreach (long id in group.Addresses.Where(pair => pair.Value == address && pair.Key != registration.BrokerId).Select(pair => pair.Key).ToList())
        {
            group.Addresses.Remove(id);
            _brokersVersion++;
        }

        if (!group.Addresses.TryGetValue(registration.BrokerId, out string? placed) || placed != address)
        {
            group.Addresses[registration.BrokerId] = address;
            _brokersVersion++;
        }
    }

    private void TakeTopics(BrokerGroup group, TopicConfigAndMappingSerializeWrapper topics, bool changed, bool wipeWrite)
    {
        if (_options.Current.DeleteTopicWithBrokerRegistration && topics.TopicQueueMappingInfoMap.Count == 0)
        {
            var named = topics.TopicConfigTable.Values.Select(topic => topic.TopicName).ToHashSet(StringComparer.Ordinal);
            foreach (string gone in group.Topics.Where(topic => !named.Contains(topic)).ToList())
            {
                RemoveQueues(group.Name, gone);
                Log.TopicLeftBroker(_logger, gone, group.Name);
            }
        }

        foreach (TopicConfig topic in topics.TopicConfigTable.Values)
        {
            if (changed || !group.Topics.Contains(topic.TopicName))
            {
                SetQueues(group, topic.TopicName, new QueueData
                {
                    BrokerName = group.Name,
                    Perm = wipeWrite ? topic.Perm & ~WritePermission : topic.Perm,
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
                if (_topics.TryGetValue(name, out TopicRoute? topic))
                {
                    topic.Mappings[mapping.Bname ?? group.Name] = mapping;
                    topic.Changed();
                }
            }
        }
    }

    private void MarkAlive(BrokerRegistration registration, LiveBroker? before)
    {
        IReadOnlyList<string> filterServers = registration.FilterServers ?? before?.FilterServers ?? [];
        _live[registration.Node] = new LiveBroker
        {
            BrokerName = registration.BrokerName,
            BrokerId = registration.BrokerId,
            HeardAt = _time.GetTimestamp(),
            Timeout = registration.Timeout,
            Version = registration.Topics.DataVersion,
            Connection = registration.Connection,
            HaAddress = registration.HaAddress,
            FilterServers = filterServers,
        };
        if (!filterServers.SequenceEqual(before?.FilterServers ?? []))
        {
            _brokersVersion++;
        }

        if (before is null)
        {
            Log.BrokerRegistered(
                _logger, registration.Node, registration.BrokerName, registration.BrokerId, registration.Topics.TopicConfigTable.Count);
        }
    }

    private RegistrationResult Answer(BrokerGroup group, BrokerRegistration registration, bool lowered)
    {
        MinBrokerIdChange? change = lowered && _options.Current.NotifyMinBrokerIdChanged
            ? DescribeChange(group, offlineAddress: null, registration.HaAddress)
            : null;
        if (registration.BrokerId != BrokerData.MasterId
            && group.Addresses.TryGetValue(BrokerData.MasterId, out string? master)
            && _live.TryGetValue(new BrokerIdentity(registration.Node.Cluster, master), out LiveBroker? live))
        {
            return new RegistrationResult(MasterAddress: master, MasterHaAddress: live.HaAddress, Change: change);
        }

        return new RegistrationResult(Change: change);
    }

    private MinBrokerIdChange? Unregister(BrokerDeparture departure)
    {
        bool wasAlive = _live.Remove(departure.Node);
        if (!_groups.TryGetValue(departure.BrokerName, out BrokerGroup? group))
        {
            Log.UnknownBrokerLeft(_logger, departure.Node, departure.BrokerName);
            return null;
        }

        // Another node may have taken its place under the name already.
        long minBefore = group.MinBrokerId;
        foreach (long id in group.Addresses.Where(pair => pair.Value == departure.Node.Address).Select(pair => pair.Key).ToList())
        {
            group.Addresses.Remove(id);
            _brokersVersion++;
        }

        if (wasAlive)
        {
            Log.BrokerUnregistered(_logger, departure.Node, group.Name, departure.BrokerId);
        }

        if (group.Addresses.Count == 0)
        {
            RemoveGroup(group);
            return null;
        }

        if (group.EnableActingMaster && !group.HasMaster)
        {
            SetWritable(group.Name, writable: false);
        }

        return group.MinBrokerId != minBefore && group.EnableActingMaster && _options.Current.NotifyMinBrokerIdChanged
            ? DescribeChange(group, departure.Node.Address, haAddress: null)
            : null;
    }

    private void RemoveGroup(BrokerGroup group)
    {
        foreach (string topic in group.Topics.ToList())
        {
            RemoveQueues(group.Name, topic);
        }

        _groups.Remove(group.Name);
        foreach ((string cluster, HashSet<string> names) in _clusters.ToList())
        {
            if (names.Remove(group.Name) && names.Count == 0)
            {
                _clusters.Remove(cluster);
            }
        }
    }

    /// <summary>When a node has gone, all that are left are told; when a lower one has come, all but it.</summary>
    private static MinBrokerIdChange DescribeChange(BrokerGroup group, string? offlineAddress, string? haAddress)
    {
        bool all = offlineAddress is not null || group.Addresses.Count == 1;
        return new MinBrokerIdChange(
            [.. group.Addresses.Where(pair => all || pair.Key != group.MinBrokerId).Select(pair => pair.Value)],
            group.MinBrokerId,
            group.Addresses[group.MinBrokerId],
            offlineAddress,
            haAddress);
    }

    /// <summary>Where a master is missing and writes are off, the lowest slave is named as master, to be read from.</summary>
    private static void NameActingMasters(TopicRouteData route)
    {
        foreach (BrokerData broker in route.BrokerDatas)
        {
            QueueData queues = route.QueueDatas.First(queue => queue.BrokerName == broker.BrokerName);
            if (broker.EnableActingMaster
                && broker.BrokerAddrs.Count > 0
                && !broker.BrokerAddrs.ContainsKey(BrokerData.MasterId)
                && (queues.Perm & WritePermission) == 0)
            {
                long lowest = broker.BrokerAddrs.Keys.Min();
                broker.BrokerAddrs.Remove(lowest, out string? address);
                broker.BrokerAddrs[BrokerData.MasterId] = address!;
            }
        }
    }

    private void SetQueues(BrokerGroup group, string name, QueueData queues)
    {
        TopicRoute topic = _topics.GetOrAdd(name, static name => new TopicRoute(name));
        if (!topic.Queues.TryGetValue(group.Name, out QueueData? before) || before != queues)
        {
            topic.Queues[group.Name] = queues;
            topic.Changed();
            group.Topics.Add(name);
        }
    }

    private void RemoveQueues(string brokerName, string name)
    {
        TopicRoute topic = _topics[name];
        topic.Queues.Remove(brokerName);
        topic.Mappings.Remove(brokerName);
        topic.Changed();
        if (_groups.TryGetValue(brokerName, out BrokerGroup? group))
        {
            group.Topics.Remove(name);
        }

        if (topic.Queues.Count == 0)
        {
            _topics.TryRemove(name, out _);
        }
    }

    private HashSet<string> Names(string cluster)
    {
        if (!_clusters.TryGetValue(cluster, out HashSet<string>? names))
        {
            _clusters[cluster] = names = new HashSet<string>(StringComparer.Ordinal);
        }

        return names;
    }
}
