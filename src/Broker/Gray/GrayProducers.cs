using System.Net;
using GrayMQ.Broker.Clients;
using GrayMQ.Gray;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Broker.Gray;

/// <summary>A group of producers with an open release: what its gray members send is gray, whether it is marked or not.</summary>
internal sealed class GrayProducers(GrayRelease release, ProducerTable producers)
{
    public GrayRelease Release => release;

    /// <summary>The side of who sends on a connection. Before its first heartbeat that is what the address tells, else normal.</summary>
    public Side SideOf(RemotingPeer connection)
    {
        IReadOnlyList<ProducerClient> clients = producers.ClientsOf(release.Group);
        foreach (ProducerClient client in clients)
        {
            if (ReferenceEquals(client.Session.Connection, connection.Client))
            {
                return SideOf(client);
            }
        }

        IPAddress? address = connection.RemoteEndPoint?.Address;
        if (ClientSides.OfAddress(release, address) is { } side)
        {
            return side;
        }

        // Old clients send on a second connection, which never tells whose it is.
        bool any = false;
        foreach (ProducerClient client in clients)
        {
            if (Equals(client.Session.Connection.RemoteEndPoint?.Address, address))
            {
                any = true;
                if (SideOf(client) != Side.Gray)
                {
                    return Side.Normal;
                }
            }
        }

        return any ? Side.Gray : Side.Normal;
    }

    public Side SideOf(ProducerClient client) => ClientSides.Of(
        release, client.Session.ClientId, client.Session.Connection.RemoteEndPoint?.Address, client.GrayFlag);
}
