using System.Net.Security;

namespace GrayMQ.Remoting.Tests.Testing;

/// <summary>The client's side of TLS, which takes any certificate.</summary>
internal static class Tls
{
    public static SslClientAuthenticationOptions Trusting { get; } = new()
    {
        TargetHost = "localhost",
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
    };

    public static async Task<Stream> ClientAsync(Stream over)
    {
        var tls = new SslStream(over);
        await tls.AuthenticateAsClientAsync(Trusting);
        return tls;
    }
}
