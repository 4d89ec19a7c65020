using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace GrayMQ.Cli.Tests.Support;

/// <summary>Ports of loopback that nobody listens on.</summary>
internal static class FreePorts
{
    /// <summary>A port for a broker: the one 2 below is free as well.</summary>
    public static string ForBroker()
    {
        while (true)
        {
            int port = Take();
            if (port > 1024 + 2 && IsFree(port - 2))
            {
                return port.ToString(CultureInfo.InvariantCulture);
            }
        }
    }

    /// <summary>Any port.</summary>
    public static string Any() => Take().ToString(CultureInfo.InvariantCulture);

    /// <summary>An address that nobody listens on.</summary>
    public static string ClosedAddress() => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Take()}");

    private static int Take()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
