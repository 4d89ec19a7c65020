using GrayMQ.Protocol.Bodies;

namespace GrayMQ.NameServer.Routes;

/// <summary>The nodes under one broker name, and the topics that live there. Guarded by the lock of <see cref="RouteState"/>.</summary>
internal sealed class BrokerGroup(string name, string cluster)
{
    public string Name => name;

    public string Cluster => cluster;

    /// <summary>Addresses by broker id.</summary>
    public SortedDictionary<long, string> Addresses { get; } = [];

    /// <summary>Where nodes answer gRPC, by broker id, as far as they said so.</summary>
    public Dictionary<long, string> GrpcAddresses { get; } = [];

    /// <summary>Names of the topics that have queues here.</summary>
    public HashSet<string> Topics { get; } = new(StringComparer.Ordinal);

    public string? Zone { get; set; }

    public bool EnableActingMaster { get; set; }

    public bool HasMaster => Addresses.ContainsKey(BrokerData.MasterId);

    /// <summary>Only when there are addresses.</summary>
    public long MinBrokerId => Addresses.First().Key;

    public BrokerData ToBrokerData() => new()
    {
        BrokerAddrs = new Dictionary<long, string>(Addresses),
        BrokerName = name,
        Cluster = cluster,
        EnableActingMaster = EnableActingMaster,
        GrpcAddrs = GrpcAddresses.Count > 0 ? new Dictionary<long, string>(GrpcAddresses) : null,
        ZoneName = Zone,
    };
}
