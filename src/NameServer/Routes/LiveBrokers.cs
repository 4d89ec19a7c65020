using System.Diagnostics.CodeAnalysis;

namespace GrayMQ.NameServer.Routes;

/// <summary>The registered nodes and their signs of life. Guarded by the lock of <see cref="RouteState"/>.</summary>
internal sealed class LiveBrokers(TimeProvider time)
{
    private readonly Dictionary<BrokerIdentity, LiveBroker> _nodes = [];

    public int Count => _nodes.Count;

    public bool Contains(BrokerIdentity node) => _nodes.ContainsKey(node);

    public bool TryFind(BrokerIdentity node, [NotNullWhen(true)] out LiveBroker? live) => _nodes.TryGetValue(node, out live);

    public bool Remove(BrokerIdentity node) => _nodes.Remove(node);

    /// <summary>Takes a registration as a sign of life.</summary>
    public LiveBroker Set(BrokerRegistration registration)
    {
        _nodes.TryGetValue(registration.Node, out LiveBroker? before);
        return _nodes[registration.Node] = new LiveBroker
        {
            BrokerName = registration.BrokerName,
            BrokerId = registration.BrokerId,
            HeardAt = time.GetTimestamp(),
            Timeout = registration.Timeout,
            Version = registration.Topics.DataVersion,
            Connection = registration.Connection,
            HaAddress = registration.HaAddress,
            FilterServers = registration.FilterServers ?? before?.FilterServers ?? [],
        };
    }

    /// <summary>Nothing when the node is not registered.</summary>
    public void Touch(BrokerIdentity node)
    {
        if (_nodes.TryGetValue(node, out LiveBroker? live))
        {
            live.HeardAt = time.GetTimestamp();
        }
    }

    /// <summary>A node has gone, and is expected back within a time; no connection speaks for it until then.</summary>
    public void Keep(BrokerIdentity node, TimeSpan returnTime)
    {
        LiveBroker live = _nodes[node];
        live.HeardAt = time.GetTimestamp();
        live.Timeout = returnTime;
        live.Connection = null;
    }

    /// <summary>The nodes whose life is tied to a connection.</summary>
    public List<BrokerDeparture> FindBy(object connection) =>
    [
        .. _nodes.Where(pair => ReferenceEquals(pair.Value.Connection, connection))
            .Select(pair => new BrokerDeparture(pair.Key, pair.Value.BrokerName, pair.Value.BrokerId)),
    ];

    /// <summary>The nodes that have been silent for too long, and for how long.</summary>
    public List<(BrokerIdentity Node, LiveBroker Live, TimeSpan Silence)> FindExpired(TimeSpan defaultTimeout) =>
    [
        .. from pair in _nodes
           let silence = time.GetElapsedTime(pair.Value.HeardAt)
           where silence > (pair.Value.Timeout ?? defaultTimeout)
           select (pair.Key, pair.Value, silence),
    ];
}
