using GrayMQ.Remoting.Connections;

namespace GrayMQ.NameServer.Brokers;

/// <summary>
/// Marks the connections on which brokers registered: of the many that end, only theirs are looked up in the route table.
/// </summary>
internal sealed class BrokerConnection
{
    private static readonly BrokerConnection Registered = new();

    private BrokerConnection()
    {
    }

    public static void Mark(RemotingPeer connection) => connection.Features.Set(Registered);

    public static bool IsMarked(RemotingPeer connection) => connection.Features.Get<BrokerConnection>() is not null;
}
