using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace GrayMQ.Testing;

/// <summary>
/// Ports for servers that are told theirs before they bind it. Taken from below the range from which the system gives ports to outgoing
/// connections, and each once per process, so that nobody else has it in between.
/// </summary>
internal static class FreePorts
{
    private const int First = 20_000;
    private const int Last = 32_000;
    private const int PortsOfBroker = 3; // old clients use the port 2 below the main one

    private static readonly Lock Taking = new();
    private static int _last = Random.Shared.Next(First, Last);

    /// <summary>A port that is free now.</summary>
    public static int Take() => Take(1);

    /// <summary>A port that is free now, as is the one 2 below it.</summary>
    public static int TakeForBroker() => Take(PortsOfBroker);

    /// <summary>An address that nobody listens at.</summary>
    public static string ClosedAddress() => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Take()}");

    // The last of so many that nobody was given.
    private static int Take(int ports)
    {
        lock (Taking)
        {
            for (int tried = 0; tried < (Last - First) / ports; tried++)
            {
                _last = _last + ports <= Last ? _last + ports : First + ports;
                if (IsFree(_last) && (ports == 1 || IsFree(_last - 2)))
                {
                    return _last;
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
