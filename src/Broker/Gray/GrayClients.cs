using GrayMQ.Broker.Clients;
using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// The clients of a group with a release, and on which side each is, or was when it was there last. Kept on disk: a client that is not
/// connected just when the release ends, and one of a broker that is down then, is held to it as all others are; and a connection of which
/// nobody knows whose it is may be that of any who is not connected. Since when a client is gone is known of this process only, so that a
/// restart gives all of them time to come back. For one thread at a time.
/// </summary>
internal sealed class GrayClients(IEnumerable<KeyValuePair<string, GrayClient>> known)
{
    private readonly Dictionary<string, GrayClient> _clients = new(known, StringComparer.Ordinal);
    private readonly Dictionary<string, long> _goneSince = new(StringComparer.Ordinal);
    private Dictionary<string, Standing> _standings = [];

    public int Count => _clients.Count;

    /// <summary>A copy, by client id.</summary>
    public Dictionary<string, GrayClient> ToDictionary() => new(_clients, StringComparer.Ordinal);

    /// <summary>The ids of those on a side.</summary>
    public IEnumerable<string> Of(Side? side) => _clients.Where(pair => pair.Value.Side == side).Select(pair => pair.Key);

    /// <summary>Takes in who is connected; true when any client is on another side than before, or has come or gone.</summary>
    /// <param name="hasChanged">What is on disk is out of date.</param>
    public bool Refresh(GrayGroup group, ConsumerGroup? consumers, out bool hasChanged)
    {
        var standings = new Dictionary<string, Standing>(StringComparer.Ordinal);
        hasChanged = false;
        foreach (ConsumerClient client in consumers?.Clients ?? [])
        {
            Standing standing = group.StandingOf(client);
            standings[client.ClientId] = standing;
            if (standing.ToSide() is { } side)
            {
                var now = new GrayClient(side, client.Connection.RemoteEndPoint?.Address.ToString());
                hasChanged |= !_clients.TryGetValue(client.ClientId, out GrayClient? before) || before != now;
                _clients[client.ClientId] = now;
            }
        }

        bool isOther = standings.Count != _standings.Count
            || standings.Any(pair => !_standings.TryGetValue(pair.Key, out Standing before) || before != pair.Value);
        _standings = standings;
        return isOther;
    }

    /// <summary>Forgets clients that are gone for good; true when there were some.</summary>
    /// <param name="retired">The ids of those that are retired, who are forgotten as well.</param>
    /// <param name="absenceMs">Who is not connected for so long is gone.</param>
    public bool Forget(ConsumerGroup? consumers, HashSet<string> retired, long nowMs, double absenceMs)
    {
        bool any = false;
        foreach (string clientId in _clients.Keys.Concat(retired).ToHashSet(StringComparer.Ordinal))
        {
            if (consumers?.FindClient(clientId) is not null)
            {
                _goneSince.Remove(clientId);
            }
            else if (!_goneSince.TryAdd(clientId, nowMs) && nowMs - _goneSince[clientId] >= absenceMs)
            {
                _goneSince.Remove(clientId);
                any |= _clients.Remove(clientId) | retired.Remove(clientId);
            }
        }

        return any;
    }
}
