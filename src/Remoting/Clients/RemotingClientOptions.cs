using System.Net.Security;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Remoting.Clients;

/// <summary>How a client connects and how long it waits.</summary>
public sealed record RemotingClientOptions
{
    public static RemotingClientOptions Default { get; } = new();

    public ConnectionOptions Connection { get; init; } = ConnectionOptions.Default;

    /// <summary>The time that making a connection may take, TLS included (RocketMQ: connectTimeoutMillis).</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How request headers are written; the server answers in the same form.</summary>
    public SerializeType SerializeType { get; init; } = SerializeType.Json;

    /// <summary>TLS settings; null connects without TLS.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }
}
