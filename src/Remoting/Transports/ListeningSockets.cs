using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Remoting.Transports;

/// <summary>
/// The listening sockets of a process: those that it was given, by systemd or by the process whose place it takes, and those that it bound
/// itself. Who binds a port gets the socket that was given for it, with whatever waits in its queue.
/// </summary>
/// <param name="given">Sockets that listen already, each on a port of its own.</param>
public sealed class ListeningSockets(params IEnumerable<Socket> given)
{
    private readonly Lock _changing = new();
    private readonly List<Socket> _given = [.. given];
    private readonly List<Socket> _bound = [];

    /// <summary>Whether there were any to begin with.</summary>
    public bool AnyGiven { get; } = given.Any();

    /// <summary>What was bound since, open or closed.</summary>
    public IReadOnlyList<Socket> Bound
    {
        get
        {
            lock (_changing)
            {
                return [.. _bound];
            }
        }
    }

    /// <summary>A socket to listen with; as the transport wants it, not listening yet where nobody gave it.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public Socket Bind(EndPoint endPoint)
    {
        lock (_changing)
        {
            Socket? socket = endPoint is IPEndPoint { Port: not 0 and int port } ? _given.Find(given => PortOf(given) == port) : null;
            if (socket is null)
            {
                socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
            }
            else
            {
                _given.Remove(socket);
            }

            _bound.Add(socket);
            return socket;
        }
    }

    /// <summary>Closes those that were given and that nobody has bound, each with a line in the log: whoever connects there would wait for ever.</summary>
    public void CloseUnused(ILoggerFactory loggers)
    {
        ILogger logger = loggers.CreateLogger<ListeningSockets>();
        lock (_changing)
        {
            foreach (Socket socket in _given)
            {
                Log.SocketUnused(logger, socket.LocalEndPoint);
                socket.Dispose();
            }

            _given.Clear();
        }
    }

    private static int PortOf(Socket socket) => (socket.LocalEndPoint as IPEndPoint)?.Port ?? 0;
}
