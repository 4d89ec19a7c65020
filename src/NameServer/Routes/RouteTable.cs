using System.Diagnostics.CodeAnalysis;
using GrayMQ.NameServer.Drains;
using GrayMQ.NameServer.Returns;
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
    private readonly LiveOptions _options;
    private readonly DrainLeases _leases;
    private readonly KnownBrokers? _known;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly TopicRoutes _topics;
    private readonly BrokerGroups _groups = new();
    private readonly LiveBrokers _live;

    /// <param name="known">Remembers who is registered; null remembers nobody.</param>
    public RouteTable(LiveOptions options, DrainLeases leases, TimeProvider time, ILogger logger, KnownBrokers? known = null)
    {
        _options = options;
        _leases = leases;
        _known = known;
        _live = new LiveBrokers(time);
        _logger = logger;
        _topics = new TopicRoutes(logger);
    }

    /// <summary>Goes up when a node, its address, its zone or its filter servers change.</summary>
    public long BrokersVersion => _groups.Version;

    /// <summary>Registered nodes, slaves included.</summary>
    public int NodeCount
    {
        get
        {
            lock (_lock)
            {
                return _live.Count;
            }
        }
    }

    public int TopicCount => _topics.Count;

    /// <summary>Looks a topic up without a lock.</summary>
    public bool TryFindTopic(ReadOnlySpan<char> name, [NotNullWhen(true)] out TopicRoute? topic) =>
        _topics.TryFind(name, out topic);

    public RegistrationResult Register(BrokerRegistration registration)
    {
        lock (_lock)
        {
            _groups.TryFind(registration.BrokerName, out BrokerGroup? group);
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

            long minBefore = group?.MinBrokerId ?? BrokerData.MasterId;
            group = _groups.Place(registration);
            DataVersion? known = _live.TryFind(registration.Node, out LiveBroker? before) ? before.Version : null;
            bool changed = oldAddress is null || known != registration.Topics.DataVersion;
            bool isMaster = registration.BrokerId == BrokerData.MasterId;
            bool isPrimeSlave = !isMaster && registration.EnableActingMaster is not null
                && registration.BrokerId == group.MinBrokerId;
            if (isMaster || isPrimeSlave)
            {
                bool deleteOthers = _options.Current.DeleteTopicWithBrokerRegistration;
                _topics.Take(group, registration.Topics, changed, deleteOthers, wipeWrite: isPrimeSlave && group.EnableActingMaster);
            }

            MarkAlive(registration, before);
            ForgetFormerIdentity(registration, before);
            _known?.Registered(registration.Node, registration.BrokerName, registration.BrokerId);
            return Answer(group, registration, lowered: registration.BrokerId < minBefore);
        }
    }

    /// <summary>Forgets a node that leaves; returns whom to tell.</summary>
    public IReadOnlyList<MinBrokerIdChange> Unregister(BrokerDeparture departure)
    {
        lock (_lock)
        {
            Leave(departure);
            return Remove([departure]);
        }
    }

    /// <summary>
    /// Forgets the nodes whose life was tied to a connection that has ended, but for those that said that they will be back; returns whom to
    /// tell.
    /// </summary>
    public IReadOnlyList<MinBrokerIdChange> UnregisterBy(object connection)
    {
        lock (_lock)
        {
            var gone = new List<BrokerDeparture>();
            foreach (BrokerDeparture departure in _live.FindBy(connection))
            {
                if (_leases.LeaveFor(departure.Node) is { } returnTime)
                {
                    _live.Keep(departure.Node, returnTime);
                    Log.RouteKept(
                        _logger, departure.Node, departure.BrokerName, departure.BrokerId, (long)returnTime.TotalMilliseconds);
                    continue;
                }

                gone.Add(departure);
                Lose(departure);
                Log.BrokerConnectionClosed(_logger, departure.Node, departure.BrokerName, departure.BrokerId);
            }

            return Remove(gone);
        }
    }

    /// <summary>Forgets the nodes that have been silent for too long; returns whom to tell.</summary>
    /// <param name="connections">Their connections, to be closed.</param>
    public IReadOnlyList<MinBrokerIdChange> UnregisterExpired(out IReadOnlyList<object> connections)
    {
        lock (_lock)
        {
            var gone = new List<BrokerDeparture>();
            var left = new List<object>();
            foreach ((BrokerIdentity node, LiveBroker live, TimeSpan silence) in _live.FindExpired(_options.Current.BrokerChannelExpiredTime))
            {
                Log.BrokerExpired(_logger, node, live.BrokerName, live.BrokerId, (long)silence.TotalMilliseconds);
                var departure = new BrokerDeparture(node, live.BrokerName, live.BrokerId);
                gone.Add(departure);
                Lose(departure);
                if (live.Connection is not null)
                {
                    left.Add(live.Connection);
                }
            }

            connections = left;
            return Remove(gone);
        }
    }

    /// <summary>Notes a sign of life; nothing when the node is not registered.</summary>
    public void Touch(BrokerIdentity node)
    {
        lock (_lock)
        {
            _live.Touch(node);
        }
    }

    /// <summary>The version of the topics that a node registered, or null when it is not registered.</summary>
    public DataVersion? FindVersion(BrokerIdentity node)
    {
        lock (_lock)
        {
            return _live.TryFind(node, out LiveBroker? live) ? live.Version : null;
        }
    }

    /// <summary>Takes the write permission from all topics of a broker, or gives it back; returns how many.</summary>
    public int SetWritable(string brokerName, bool writable)
    {
        lock (_lock)
        {
            if (!_groups.TryFind(brokerName, out BrokerGroup? group))
            {
                return 0;
            }

            _topics.SetWritable(group, writable);
            return group.Topics.Count;
        }
    }

    /// <summary>Adds a topic's queues at brokers that are registered; false, with nothing added, when one is not, or too many topics are.</summary>
    public bool RegisterTopic(string topic, IReadOnlyList<QueueData> queues)
    {
        lock (_lock)
        {
            bool beyondLimit = !_topics.Contains(topic) && _topics.Count >= NameServerLimits.MaxTopics;
            if (beyondLimit || queues.Any(queue => !_groups.Contains(queue.BrokerName)))
            {
                return false;
            }

            foreach (QueueData queue in queues)
            {
                _topics.SetQueues(_groups[queue.BrokerName], topic, queue);
            }

            return true;
        }
    }

    /// <summary>Forgets a topic, in one cluster or (null) everywhere; true when it was known there.</summary>
    public bool DeleteTopic(string topic, string? cluster)
    {
        lock (_lock)
        {
            if (!_topics.TryFind(topic, out TopicRoute? route))
            {
                return false;
            }

            string[] brokers =
                [.. route.Queues.Keys.Where(name => cluster is null || _groups.NamesOf(cluster).Contains(name))];
            foreach (string broker in brokers)
            {
                _topics.RemoveQueues(_groups[broker], topic);
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
            brokersVersion = _groups.Version;
            if (!_topics.TryFind(topic, out TopicRoute? found))
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
                    if (_live.TryFind(new BrokerIdentity(group.Cluster, address), out LiveBroker? live) && live.FilterServers.Count > 0)
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

        if (_options.Current.SupportActingMaster)
        {
            ActingMaster.NameIn(route, topic);
        }

        return true;
    }

    public ClusterInfo DescribeClusters()
    {
        lock (_lock)
        {
            return _groups.Describe();
        }
    }

    public BrokerMemberGroup DescribeMembers(string cluster, string brokerName)
    {
        lock (_lock)
        {
            return new BrokerMemberGroup
            {
                BrokerAddrs = _groups.TryFind(brokerName, out BrokerGroup? group) ? new(group.Addresses) : [],
                BrokerName = brokerName,
                Cluster = cluster,
            };
        }
    }

    /// <summary>The names of all topics.</summary>
    public List<string> ListTopics() => [.. _topics.Names];

    /// <summary>The names of the topics whose system flags satisfy a condition (RocketMQ: TopicSysFlag).</summary>
    public List<string> ListTopics(Predicate<int> topicSysFlag)
    {
        lock (_lock)
        {
            return [.. _topics.All.Where(topic => topicSysFlag(topic.Queues.Values.First().TopicSysFlag)).Select(topic => topic.Name)];
        }
    }

    /// <summary>The names of the topics that have queues in a cluster.</summary>
    public List<string> ListTopicsOf(string cluster)
    {
        lock (_lock)
        {
            return [.. _groups.NamesOf(cluster).SelectMany(name => _groups[name].Topics).Distinct(StringComparer.Ordinal)];
        }
    }

    /// <summary>The topics that every cluster has, named like itself and like its brokers; and any node's address.</summary>
    public TopicList ListSystemTopics()
    {
        lock (_lock)
        {
            return _groups.ListSystemTopics();
        }
    }

    /// <summary>
    /// Whether another node holds this name and id in a newer role: then it keeps them, and this one is not told (RocketMQ:
    /// stateVersion, the epoch that a controller gives).
    /// </summary>
    private bool IsOutranked(BrokerRegistration registration, string oldAddress)
    {
        if (oldAddress == registration.Node.Address
            || !_live.TryFind(new BrokerIdentity(registration.Node.Cluster, oldAddress), out LiveBroker? holder)
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

        if (!_live.Contains(registration.Node) && _live.Count >= NameServerLimits.MaxNodes)
        {
            return $"{_live.Count} brokers are registered, which is the limit";
        }

        if (group is not null && oldAddress is null && group.Addresses.Count >= NameServerLimits.MaxNodesPerBroker)
        {
            return $"{group.Addresses.Count} nodes are registered as {group.Name}, which is the limit";
        }

        int topics = _topics.Count + registration.Topics.TopicConfigTable.Values.Count(topic => !_topics.Contains(topic.TopicName));
        return topics > NameServerLimits.MaxTopics ? $"it would make {topics} topics: expected at most {NameServerLimits.MaxTopics}" : null;
    }

    private void MarkAlive(BrokerRegistration registration, LiveBroker? before)
    {
        LiveBroker live = _live.Set(registration);
        if (!live.FilterServers.SequenceEqual(before?.FilterServers ?? []))
        {
            _groups.Changed();
        }

        if (before is null)
        {
            Log.BrokerRegistered(
                _logger, registration.Node, registration.BrokerName, registration.BrokerId, registration.Topics.TopicConfigTable.Count);
        }
    }

    // A slave that has become master is not to be waited for as a slave.
    private void ForgetFormerIdentity(BrokerRegistration registration, LiveBroker? before)
    {
        if (before is not null
            && (before.BrokerName != registration.BrokerName || before.BrokerId != registration.BrokerId))
        {
            Leave(new BrokerDeparture(registration.Node, before.BrokerName, before.BrokerId));
        }
    }

    private void Leave(BrokerDeparture departure)
    {
        if (!IsHeldByAnother(departure))
        {
            _known?.Left(departure.Node, departure.BrokerName, departure.BrokerId);
        }
    }

    private void Lose(BrokerDeparture departure)
    {
        if (!IsHeldByAnother(departure))
        {
            _known?.Lost(departure.Node, departure.BrokerName, departure.BrokerId);
        }
    }

    // Whether another node has the name and id by now, as a pod that has replaced one with another address: it is waited for as before.
    private bool IsHeldByAnother(BrokerDeparture departure) =>
        _groups.TryFind(departure.BrokerName, out BrokerGroup? group)
        && group.Addresses.TryGetValue(departure.BrokerId, out string? holder)
        && holder != departure.Node.Address;

    private RegistrationResult Answer(BrokerGroup group, BrokerRegistration registration, bool lowered)
    {
        MinBrokerIdChange? change = lowered && _options.Current.NotifyMinBrokerIdChanged
            ? MinBrokerIdChange.ByArrival(group, registration.HaAddress)
            : null;
        if (registration.BrokerId != BrokerData.MasterId
            && group.Addresses.TryGetValue(BrokerData.MasterId, out string? master)
            && _live.TryFind(new BrokerIdentity(registration.Node.Cluster, master), out LiveBroker? live))
        {
            return new RegistrationResult(MasterAddress: master, MasterHaAddress: live.HaAddress, Change: change);
        }

        return new RegistrationResult(Change: change);
    }

    private List<MinBrokerIdChange> Remove(List<BrokerDeparture> departures) =>
        [.. departures.Select(Remove).OfType<MinBrokerIdChange>()];

    private MinBrokerIdChange? Remove(BrokerDeparture departure)
    {
        bool wasAlive = _live.Remove(departure.Node);
        if (!_groups.TryFind(departure.BrokerName, out BrokerGroup? group))
        {
            Log.UnknownBrokerLeft(_logger, departure.Node, departure.BrokerName);
            return null;
        }

        // Another node may have taken its place under the name already.
        long minBefore = group.MinBrokerId;
        _groups.RemoveAddress(group, departure.Node.Address);
        if (wasAlive)
        {
            Log.BrokerUnregistered(_logger, departure.Node, group.Name, departure.BrokerId);
        }

        if (group.Addresses.Count == 0)
        {
            _topics.RemoveAll(group);
            _groups.Remove(group);
            return null;
        }

        if (group.EnableActingMaster && !group.HasMaster)
        {
            _topics.SetWritable(group, writable: false);
        }

        return group.MinBrokerId != minBefore && group.EnableActingMaster && _options.Current.NotifyMinBrokerIdChanged
            ? MinBrokerIdChange.ByDeparture(group, departure.Node.Address)
            : null;
    }
}
