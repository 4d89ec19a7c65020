using System.Net;
using System.Net.Sockets;
using GrayMQ.Protocol.Bodies;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Routes;

/// <summary>
/// Where brokers answer gRPC: this one at its own port, others where they registered to, and where a name server does not pass that on,
/// at the same port as this one.
/// </summary>
internal sealed class BrokerEndpoints(GrpcOptions options, Func<int> port)
{
    /// <summary>A broker as clients reach it; null when it has no master.</summary>
    public V2.Broker? Of(BrokerData broker)
    {
        string? address = broker.BrokerName == options.BrokerName
            ? new IPEndPoint(options.Address, port()).ToString()
            : broker.GrpcAddrs?.GetValueOrDefault(BrokerData.MasterId) ?? SamePort(broker.FindPreferredAddress());
        return address is null || !TrySplit(address, out string host, out int number)
            ? null
            : new V2.Broker
            {
                Name = broker.BrokerName,
                Id = (int)BrokerData.MasterId,
                Endpoints = new V2.Endpoints
                {
                    Scheme = SchemeOf(host),
                    Addresses = { new V2.Address { Host = host, Port = number } },
                },
            };
    }

    private string? SamePort(string? address) =>
        address is not null && TrySplit(address, out string host, out _)
            ? (host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port()}" : $"{host}:{port()}")
            : null;

    private static bool TrySplit(string address, out string host, out int port)
    {
        int colon = address.LastIndexOf(':');
        host = colon > 0 ? address[..colon].Trim('[', ']') : "";
        return int.TryParse(address.AsSpan(colon + 1), out port) && port is > 0 and <= ushort.MaxValue && host.Length > 0;
    }

    private static V2.AddressScheme SchemeOf(string host) =>
        !IPAddress.TryParse(host, out IPAddress? address) ? V2.AddressScheme.DomainName
        : address.AddressFamily == AddressFamily.InterNetworkV6 ? V2.AddressScheme.Ipv6
        : V2.AddressScheme.Ipv4;
}
