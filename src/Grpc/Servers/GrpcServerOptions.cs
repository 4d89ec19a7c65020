using System.Net;
using System.Security.Cryptography.X509Certificates;
using GrayMQ.Remoting.Proxies;
using GrayMQ.Remoting.Servers;

namespace GrayMQ.Grpc.Servers;

/// <summary>Limits of a gRPC server; what lies beyond is answered with a status that says so.</summary>
public sealed record GrpcServerOptions
{
    /// <summary>Where to listen; port 0 takes a free one.</summary>
    public required IPEndPoint EndPoint { get; init; }

    /// <summary>Which connections are taken; by its first byte each one says whether it speaks TLS.</summary>
    public TlsMode TlsMode { get; init; } = TlsMode.Permissive;

    /// <summary>Shown to TLS clients; null makes a self-signed one at the first of them.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Whose word is taken for where a connection comes from.</summary>
    public ProxyOptions Proxy { get; init; } = ProxyOptions.Off;

    /// <summary>Connections open at a time.</summary>
    public int MaxConnections { get; init; } = 100_000;

    /// <summary>Calls of one connection at a time; HTTP/2 lets clients wait with more.</summary>
    public int MaxStreamsOfConnection { get; init; } = 1024;

    /// <summary>Bytes of a request, packed or not.</summary>
    public int MaxMessageBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Bytes that the large requests of all connections may have, while they come in and until they are answered.</summary>
    public long MaxIncomingBytesOfAll { get; init; } = 256 * 1024 * 1024;

    /// <summary>A request, or a message of a stream, that is still coming after this time is given up.</summary>
    public TimeSpan MaxRequestTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A call whose answers the peer leaves unread for this time is cut off.</summary>
    public TimeSpan MaxWriteStall { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A connection without calls is closed after this time.</summary>
    public TimeSpan MaxIdle { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A connection on which nothing comes for this time is asked whether it is alive (HTTP/2 ping).</summary>
    public TimeSpan PingAfter { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>One that has not answered after this time is closed.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(20);
}
