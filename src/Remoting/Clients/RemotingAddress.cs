using System.Globalization;
using System.Net;

namespace GrayMQ.Remoting.Clients;

/// <summary>Addresses as RocketMQ writes them: <c>host:port</c>, <c>1.2.3.4:port</c>, <c>[v6]:port</c>, lists separated by <c>;</c>.</summary>
public static class RemotingAddress
{
    /// <exception cref="FormatException">It is no address; the message shows it.</exception>
    public static EndPoint Parse(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        int colon = address.LastIndexOf(':');
        if (colon > 0
            && ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            && port > 0)
        {
            ReadOnlySpan<char> host = address.AsSpan(0, colon);
            if (host is ['[', .. var inner, ']'])
            {
                host = inner;
            }

            if (IPAddress.TryParse(host, out IPAddress? ip))
            {
                return new IPEndPoint(ip, port);
            }

            if (Uri.CheckHostName(host.ToString()) == UriHostNameType.Dns)
            {
                return new DnsEndPoint(host.ToString(), port);
            }
        }

        throw new FormatException($"'{address}' is no address: expected host:port");
    }

    /// <summary>The addresses of a list, each checked.</summary>
    /// <exception cref="FormatException">One of them is no address, or there is none.</exception>
    public static IReadOnlyList<string> ParseList(string addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        string[] all = addresses.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (all.Length == 0)
        {
            throw new FormatException($"'{addresses}' names no address: expected host:port[;host:port]");
        }

        foreach (string address in all)
        {
            Parse(address);
        }

        return all;
    }
}
