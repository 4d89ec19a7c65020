using System.Net;
using System.Net.Sockets;

namespace GrayMQ.Testing;

/// <summary>
/// Ports for brokers, which register the port that they are told and so cannot be given 0. Taken from below the range from which the
/// system gives ports to outgoing connections, each once per process.
/// </summary>
internal static class FreePorts
{
    private const int First = 20_000;
    private const int Last = 32_000;
    private const int PortsOfBroker = 3; // old clients use the port 2 below the main one

    private static readonly Lock Taking = new();
    private static int _next = Random.Shared.Next(First, Last);

    /// <summary>A port that is free now, as is the one 2 below it.</summary>
    public static int TakeForBroker()
    {
        lock (Taking)
        {
            for (int tried = 0; tried < (Last - First) / PortsOfBroker; tried++)
            {
                _next = _next + PortsOfBroker <= Last ? _next + PortsOfBroker : First + PortsOfBroker;
                if (IsFree(_next) && IsFree(_next - 2))
                {
                    return _next;
                }
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
