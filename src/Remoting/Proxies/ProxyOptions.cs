using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace GrayMQ.Remoting.Proxies;

/// <summary>From whom a server believes where a connection comes from.</summary>
public sealed record ProxyOptions
{
    public static ProxyOptions Off { get; } = new();

    public ProxyMode Mode { get; init; } = ProxyMode.Off;

    /// <summary>The networks of the proxies. Whoever may write a header may name any address as its own.</summary>
    public IReadOnlyList<IPNetwork> Sources { get; init; } = [];

    /// <param name="sources">As <see cref="TryParseSource"/> reads them.</param>
    /// <exception cref="FormatException">A source is neither an address nor a network.</exception>
    public static ProxyOptions From(ProxyMode mode, IEnumerable<string> sources) => new()
    {
        Mode = mode,
        Sources = [.. sources.Select(source => TryParseSource(source, out IPNetwork? network) ? network.Value : throw new FormatException(source))],
    };

    /// <summary>Reads <c>10.1.0.0/16</c>, <c>fd00::/8</c> or a single address.</summary>
    public static bool TryParseSource(string text, [NotNullWhen(true)] out IPNetwork? network)
    {
        network = null;
        if (IPAddress.TryParse(text, out IPAddress? single))
        {
            network = new IPNetwork(single, single.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        }
        else if (IPNetwork.TryParse(text, out IPNetwork parsed))
        {
            network = parsed;
        }

        return network is not null;
    }

    /// <summary>Whether headers of this peer are believed.</summary>
    public bool Trusts(EndPoint? peer)
    {
        if (Mode == ProxyMode.Off || peer is not IPEndPoint { Address: var address })
        {
            return false;
        }

        // A socket that listens on :: sees its IPv4 peers so.
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return Sources.Any(source => source.Contains(plain));
    }
}
