using GrayMQ.NameServer.Routes;

namespace GrayMQ.NameServer.Drains;

/// <summary>
/// Which brokers are leaving: as many of a cluster at a time as they themselves say may, so that two do not leave at once and each count
/// on the other. A lease lasts while its broker asks for it again, and while it is away, until it is back or its time is over. Kept in
/// memory only: brokers ask for theirs again before long.
/// </summary>
internal sealed class DrainLeases(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<BrokerIdentity, Lease> _leases = [];

    /// <summary>Gives or prolongs a broker's lease, unless as many others of its cluster have one as may.</summary>
    /// <param name="parallel">How many may have one, this broker included.</param>
    /// <param name="length">Until when it has to be asked for again.</param>
    /// <param name="returnTime">How long its route stays once it has gone; zero for one that does not come back.</param>
    /// <param name="others">Names of the others that have one.</param>
    public bool TryTake(
        BrokerIdentity node, string brokerName, int parallel, TimeSpan length, TimeSpan returnTime, out IReadOnlyList<string> others)
    {
        lock (_lock)
        {
            RemoveExpired();
            others =
            [
                .. _leases.Where(pair => pair.Key.Cluster == node.Cluster && pair.Key != node)
                    .Select(pair => pair.Value.BrokerName)
                    .Order(StringComparer.Ordinal),
            ];
            if (!_leases.ContainsKey(node) && others.Count >= parallel)
            {
                return false;
            }

            _leases[node] = new Lease(brokerName, time.GetTimestamp(), length, returnTime);
            return true;
        }
    }

    /// <summary>False when it had none.</summary>
    public bool Return(BrokerIdentity node)
    {
        lock (_lock)
        {
            return _leases.Remove(node);
        }
    }

    /// <summary>
    /// A broker's connection has ended: how long its route is to stay, since it will be back; null when it is to go at once. Its lease
    /// lasts as long.
    /// </summary>
    public TimeSpan? LeaveFor(BrokerIdentity node)
    {
        lock (_lock)
        {
            RemoveExpired();
            if (!_leases.TryGetValue(node, out Lease? lease) || lease.ReturnTime <= TimeSpan.Zero)
            {
                return null;
            }

            _leases[node] = lease with { TakenAt = time.GetTimestamp(), Length = lease.ReturnTime };
            return lease.ReturnTime;
        }
    }

    private void RemoveExpired()
    {
        foreach ((BrokerIdentity node, Lease lease) in _leases)
        {
            if (time.GetElapsedTime(lease.TakenAt) > lease.Length)
            {
                _leases.Remove(node);
            }
        }
    }

    /// <param name="TakenAt">As <see cref="TimeProvider.GetTimestamp"/> counts.</param>
    private sealed record Lease(string BrokerName, long TakenAt, TimeSpan Length, TimeSpan ReturnTime);
}
