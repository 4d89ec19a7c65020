using System.Collections.Concurrent;
using GrayMQ.Gray;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.NameServer.Gray.Progress;

/// <summary>The connections that asked to be told of changes. Who misses one, or comes anew, asks now and then anyway.</summary>
internal sealed class GrayWatchers
{
    private readonly ConcurrentDictionary<RemotingPeer, bool> _connections = new();

    public void Add(RemotingPeer connection)
    {
        // A connection that ended before it was added has been taken off before, too: it is looked at again.
        if (_connections.TryAdd(connection, true) && connection.IsClosed)
        {
            Remove(connection);
        }
    }

    public void Remove(RemotingPeer connection) => _connections.TryRemove(connection, out _);

    public void Tell(GrayVersion version)
    {
        var header = new GrayVersionHeader { Epoch = version.Epoch, Version = version.Version };
        foreach (RemotingPeer connection in _connections.Keys)
        {
            connection.SendOneWay(RequestCode.GrayStateChanged, header);
        }
    }
}
