using System.Globalization;
using System.Net;
using System.Text;
using GrayMQ.Testing;

namespace GrayMQ.Chaos.Clusters;

/// <summary>
/// HAProxy before each broker, on the broker's ports at an address of its own: clients know no other. It checks whether the broker accepts,
/// as deploy/haproxy has it.
/// </summary>
internal static class HAProxyFront
{
    /// <summary>All of 127.0.0.0/8 is this machine.</summary>
    public const string Address = "127.0.0.2";

    /// <summary>What brokers behind it need.</summary>
    public static IReadOnlyList<string> BrokerSettings { get; } =
    [
        "proxyProtocol=optional", "proxyProtocolSources=127.0.0.0/8",

        // It has to find a broker alive that comes back, before clients are told of it.
        "registrationDelayMs=3000",
    ];

    public static Task<LoadBalancer> StartAsync(IReadOnlyList<BrokerNode> brokers)
    {
        var configuration = new StringBuilder("""
            global
              maxconn 2000
            defaults
              mode tcp
              timeout connect 5s
              retries 5
              timeout client 130s
              timeout server 130s
              default-server inter 500ms fall 2 rise 1

            """);
        foreach (BrokerNode broker in brokers)
        {
            Add(broker, broker.Port);
            Add(broker, broker.GrpcPort);
        }

        return LoadBalancer.HAProxyAsync(
            configuration.ToString(), [.. brokers.Select(broker => new IPEndPoint(IPAddress.Parse(Address), broker.Port))]);

        void Add(BrokerNode broker, int port) => configuration.Append(CultureInfo.InvariantCulture, $"""
            listen {broker.Name}-{port}
              bind {Address}:{port}
              option httpchk GET /health/accepting
              server {broker.Name} 127.0.0.1:{port} check port {broker.HttpPort} send-proxy-v2

            """);
    }
}
