using System.Collections.Concurrent;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Clients;

/// <summary>The producer groups and who belongs to them, as heartbeats told. Reads take no lock and see snapshots.</summary>
public sealed class ProducerTable(ClientLimits limits, TimeProvider time, ILogger<ProducerTable> logger)
{
    private readonly ConcurrentDictionary<string, ProducerClient[]> _groups = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ClientSession> _byClientId = new(StringComparer.Ordinal);
    private readonly Lock _changing = new();

    /// <summary>All groups that have clients.</summary>
    public IEnumerable<KeyValuePair<string, ProducerClient[]>> Groups => _groups;

    /// <summary>The clients of a group; empty when it has none.</summary>
    public IReadOnlyList<ProducerClient> ClientsOf(string group) => _groups.GetValueOrDefault(group) ?? [];

    /// <summary>The producer with a client id, whatever its groups (RocketMQ: ProducerManager.findChannel).</summary>
    public ClientSession? FindClient(string clientId) => _byClientId.GetValueOrDefault(clientId);

    /// <summary>Takes in what a heartbeat says of one group.</summary>
    /// <param name="grayFlag">Whether the client says that it is gray; null when it says nothing.</param>
    /// <exception cref="RemotingException">The connection belongs to too many groups.</exception>
    public void Join(ClientSession session, string group, bool? grayFlag = null)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        lock (_changing)
        {
            limits.CheckGroups(session.ProducerGroups, group);
            NameClient(session, session.ClientId);
            ProducerClient[] clients = _groups.GetValueOrDefault(group) ?? [];
            int at = Array.FindIndex(clients, client => ReferenceEquals(client.Session, session));
            if (at >= 0)
            {
                clients[at].Heard(now);
                clients[at].GrayFlag = grayFlag;
            }
            else
            {
                _groups[group] = [.. clients, new ProducerClient(session, now) { GrayFlag = grayFlag }];
                session.ProducerGroups.Add(group);
                Log.ProducerJoined(logger, session, group);
            }
        }
    }

    /// <summary>A client says that it leaves a group.</summary>
    public void Leave(ClientSession session, string group)
    {
        lock (_changing)
        {
            session.ProducerGroups.Remove(group);
            Remove(session, group, "it unregistered");
            if (session.ProducerGroups.Count == 0)
            {
                NameClient(session, null);
            }
        }
    }

    /// <summary>A connection has ended: its client leaves all its groups.</summary>
    public void LeaveAll(ClientSession session, string reason = "its connection ended")
    {
        lock (_changing)
        {
            foreach (string group in session.ProducerGroups)
            {
                Remove(session, group, reason);
            }

            session.ProducerGroups.Clear();
            NameClient(session, null);
        }
    }

    /// <summary>Closes the connections of clients that have fallen silent.</summary>
    public void Expire()
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (ProducerClient client in _groups.Values.SelectMany(clients => clients))
        {
            if (now - client.LastHeartbeatMs > limits.SilentAfter.TotalMilliseconds)
            {
                string reason = $"no heartbeat for {limits.SilentAfter.TotalSeconds} s";
                LeaveAll(client.Session, reason);
                client.Session.Connection.Abort(reason);
            }
        }
    }

    // The connection that came last has the name: that of a client which came back before its old connection was given up.
    private void NameClient(ClientSession session, string? clientId)
    {
        if (session.ProducerClientId == clientId)
        {
            return;
        }

        if (session.ProducerClientId is { } old)
        {
            _byClientId.TryRemove(KeyValuePair.Create(old, session));
        }

        session.ProducerClientId = clientId;
        if (clientId is not null)
        {
            _byClientId[clientId] = session;
        }
    }

    private void Remove(ClientSession session, string group, string reason)
    {
        if (!_groups.TryGetValue(group, out ProducerClient[]? clients))
        {
            return;
        }

        ProducerClient[] rest = [.. clients.Where(client => !ReferenceEquals(client.Session, session))];
        if (rest.Length == clients.Length)
        {
            return;
        }

        Log.ProducerLeft(logger, session, group, reason);
        if (rest.Length == 0)
        {
            _groups.TryRemove(group, out _);
        }
        else
        {
            _groups[group] = rest;
        }
    }
}
