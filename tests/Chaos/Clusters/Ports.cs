using System.Net;
using System.Net.Sockets;

namespace GrayMQ.Chaos.Clusters;

/// <summary>Ports of loopback that nobody listens on, each given once.</summary>
internal static class Ports
{
    // Below those that the system gives to connections.
    private const int First = 20_000;
    private const int Last = 32_000;

    // Old clients use the port two below a broker's.
    private const int Apart = 3;

    private static int _next = Random.Shared.Next(First, Last);

    /// <summary>A port that is free, and so is the one two below.</summary>
    public static int Take()
    {
        for (int tried = First; tried < Last; tried += Apart)
        {
            _next = _next + Apart < Last ? _next + Apart : First + Apart;
            if (IsFree(_next) && IsFree(_next - 2))
            {
                return _next;
            }
        }

        throw new InvalidOperationException($"no free port from {First} to {Last}");
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
