using System.Net;
using System.Security.Cryptography.X509Certificates;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Proxies;

namespace GrayMQ.Remoting.Servers;

/// <summary>Where a server listens and what it bears.</summary>
public sealed record RemotingServerOptions
{
    /// <summary>Addresses to bind; port 0 takes a free one, told by <see cref="RemotingServer.EndPoints"/>.</summary>
    public required IReadOnlyList<IPEndPoint> EndPoints { get; init; }

    public ConnectionOptions Connection { get; init; } = ConnectionOptions.Default;

    public TlsMode TlsMode { get; init; } = TlsMode.Permissive;

    /// <summary>The server's certificate with its key; null makes a self-signed one when a first client asks for TLS.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Whether a TLS client has to show a certificate of its own that is trusted here.</summary>
    public bool RequireClientCertificate { get; init; }

    /// <summary>Whether connections may say for whom they come.</summary>
    public ProxyOptions Proxy { get; init; } = ProxyOptions.Off;

    /// <summary>Open connections; one more is closed at once.</summary>
    public int MaxConnections { get; init; } = 100_000;

    /// <summary>
    /// A connection is closed after so long without a byte coming or leaving (RocketMQ: serverChannelMaxIdleTimeSeconds), and when a
    /// frame takes longer than this to come. Zero: never.
    /// </summary>
    public TimeSpan MaxIdle { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>The time that a PROXY header may take from its first byte on, and after it a TLS handshake.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    internal bool NeverIdle => MaxIdle <= TimeSpan.Zero;
}
