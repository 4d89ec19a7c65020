using System.Diagnostics.CodeAnalysis;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.NameServer.Routes;

/// <summary>
/// The broker names with their nodes, and the clusters with their broker names. Guarded by the lock of
/// <see cref="RouteState"/>, but for the version.
/// </summary>
internal sealed class BrokerGroups
{
    private readonly Dictionary<string, BrokerGroup> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _clusters = new(StringComparer.Ordinal);
    private long _version;

    /// <summary>Goes up with every change that routes show.</summary>
    public long Version => Volatile.Read(ref _version);

    public BrokerGroup this[string name] => _groups[name];

    public bool Contains(string name) => _groups.ContainsKey(name);

    public bool TryFind(string name, [NotNullWhen(true)] out BrokerGroup? group) => _groups.TryGetValue(name, out group);

    /// <summary>The broker names of a cluster; empty when there is no such cluster.</summary>
    public IReadOnlyCollection<string> NamesOf(string cluster) => _clusters.TryGetValue(cluster, out HashSet<string>? names) ? names : [];

    /// <summary>Puts a node under its name and id, in the group that is made if it is not there.</summary>
    public BrokerGroup Place(BrokerRegistration registration)
    {
        string cluster = registration.Node.Cluster;
        if (!_groups.TryGetValue(registration.BrokerName, out BrokerGroup? group))
        {
            _groups[registration.BrokerName] = group = new BrokerGroup(registration.BrokerName, cluster);
        }

        if (!_clusters.TryGetValue(cluster, out HashSet<string>? names))
        {
            _clusters[cluster] = names = new HashSet<string>(StringComparer.Ordinal);
        }

        names.Add(group.Name);
        bool actingMaster = registration.EnableActingMaster ?? false;
        if (group.EnableActingMaster != actingMaster || group.Zone != registration.Zone)
        {
            group.EnableActingMaster = actingMaster;
            group.Zone = registration.Zone;
            Changed();
        }

        // A node that comes back with another id, as a slave that became master does, must not stay under the old one.
        RemoveAddress(group, registration.Node.Address, except: registration.BrokerId);
        if (!group.Addresses.TryGetValue(registration.BrokerId, out string? placed) || placed != registration.Node.Address)
        {
            group.Addresses[registration.BrokerId] = registration.Node.Address;
            Changed();
        }

        if (group.GrpcAddresses.GetValueOrDefault(registration.BrokerId) != registration.GrpcAddress)
        {
            group.GrpcAddresses.Remove(registration.BrokerId);
            if (registration.GrpcAddress is { } grpc)
            {
                group.GrpcAddresses[registration.BrokerId] = grpc;
            }

            Changed();
        }

        return group;
    }

    public void RemoveAddress(BrokerGroup group, string address, long? except = null)
    {
        foreach (long id in group.Addresses.Where(pair => pair.Value == address && pair.Key != except).Select(pair => pair.Key).ToList())
        {
            group.Addresses.Remove(id);
            group.GrpcAddresses.Remove(id);
            Changed();
        }
    }

    public void Remove(BrokerGroup group)
    {
        _groups.Remove(group.Name);
        foreach ((string cluster, HashSet<string> names) in _clusters.ToList())
        {
            if (names.Remove(group.Name) && names.Count == 0)
            {
                _clusters.Remove(cluster);
            }
        }

        Changed();
    }

    /// <summary>Notes a change that routes show and that is kept elsewhere.</summary>
    public void Changed() => Volatile.Write(ref _version, _version + 1);

    public ClusterInfo Describe() => new()
    {
        BrokerAddrTable = _groups.ToDictionary(pair => pair.Key, pair => pair.Value.ToBrokerData()),
        ClusterAddrTable = _clusters.ToDictionary(pair => pair.Key, pair => pair.Value.ToList()),
    };

    /// <summary>The topics that every cluster has, named like itself and like its brokers; and any node's address.</summary>
    public TopicList ListSystemTopics() => new()
    {
        BrokerAddr = _groups.Values.FirstOrDefault()?.Addresses.First().Value,
        Topics = [.. _clusters.SelectMany(pair => pair.Value.Prepend(pair.Key))],
    };
}
