using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Broker.Clients;

/// <summary>
/// What a connection's heartbeats told about the client behind it. Bound to the connection for its life: requests carry no
/// client id, so whoever has to know who is asking reads it here. Made and looked up on the connection's read loop.
/// </summary>
public sealed class ClientSession
{
    private volatile string _clientId;

    private ClientSession(RemotingPeer connection, string clientId, LanguageCode language, short version)
    {
        Connection = connection;
        _clientId = clientId;
        Language = language;
        Version = version;
        Address = connection.RemoteEndPoint?.ToString() ?? "";
    }

    public RemotingPeer Connection { get; }

    /// <summary>The id in the last heartbeat, for instance <c>192.0.2.2@28640#7674949741361</c>.</summary>
    public string ClientId => _clientId;

    /// <summary><c>ip:port</c> of the client.</summary>
    public string Address { get; }

    public LanguageCode Language { get; }

    /// <summary>RocketMQ: ordinal of MQVersion.Version.</summary>
    public short Version { get; }

    /// <summary>The groups that this connection consumes for. Owned by <see cref="ConsumerTable"/>, under its lock.</summary>
    internal HashSet<string> ConsumerGroups { get; } = new(StringComparer.Ordinal);

    /// <summary>The groups that this connection produces for. Owned by <see cref="ProducerTable"/>, under its lock.</summary>
    internal HashSet<string> ProducerGroups { get; } = new(StringComparer.Ordinal);

    /// <summary>The id by which the connection's producer is found. Owned by <see cref="ProducerTable"/>, under its lock.</summary>
    internal string? ProducerClientId { get; set; }

    /// <summary>The session of a connection; null until its first heartbeat.</summary>
    public static ClientSession? Of(RemotingPeer connection) => connection.Features.Get<ClientSession>();

    /// <summary>The session of a connection on which a heartbeat came.</summary>
    public static ClientSession Heard(RemotingPeer connection, string clientId, LanguageCode language, short version)
    {
        if (Of(connection) is { } known)
        {
            known._clientId = clientId;
            return known;
        }

        var session = new ClientSession(connection, clientId, language, version);
        connection.Features.Set(session);
        return session;
    }

    public override string ToString() => $"{ClientId} ({Address})";
}
