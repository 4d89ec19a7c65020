using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using GrayMQ.Remoting.Connections;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Remoting.Servers;

/// <summary>
/// Decides by a connection's first byte whether it speaks TLS, and opens it. A frame cannot begin with the byte of a TLS
/// handshake, its length would be above every limit; HTTP/2 begins with a letter.
/// </summary>
/// <param name="protocols">What is spoken inside of TLS, to be agreed on in its handshake (ALPN); null for nothing.</param>
public sealed class TlsAcceptor(
    RemotingServerOptions options, TimeProvider time, ILogger logger, List<SslApplicationProtocol>? protocols = null) : IDisposable
{
    private const byte TlsHandshake = 0x16;
    private const int SelfSignedKeyBits = 2048;

    private readonly Lock _making = new();
    private SslServerAuthenticationOptions? _authentication;
    private X509Certificate2? _selfSigned;

    /// <summary>
    /// The transport to read frames from, which is to be disposed when it is an <see cref="IAsyncDisposable"/>; null, with a line in the
    /// log, when the connection is not to be served.
    /// </summary>
    public async Task<IDuplexPipe?> AcceptAsync(EndPoint? peer, IDuplexPipe transport, CancellationToken cancel)
    {
        if (await FirstBytes.ReadAsync(transport.Input, options.MaxIdle, time, cancel).ConfigureAwait(false) is not { } first)
        {
            Log.SilentPeer(logger, peer, (long)options.MaxIdle.TotalSeconds);
            return null;
        }

        bool tls = !first.Buffer.IsEmpty && first.Buffer.FirstSpan[0] == TlsHandshake;
        transport.Input.AdvanceTo(first.Buffer.Start);
        if (first.Buffer.IsEmpty)
        {
            return null;
        }

        if (!tls)
        {
            if (options.TlsMode == TlsMode.Enforcing)
            {
                Log.TlsRefused(logger, peer, "it is not encrypted, and tlsMode is enforcing");
                return null;
            }

            return transport;
        }

        if (options.TlsMode == TlsMode.Disabled)
        {
            Log.TlsRefused(logger, peer, "it asks for TLS, and tlsMode is disabled");
            return null;
        }

        using var handshakeTimeout = new CancellationTokenSource(options.HandshakeTimeout, time);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel, handshakeTimeout.Token);
        try
        {
            return await TlsTransport.AcceptAsync(transport, Authentication(), limited.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException or InvalidOperationException)
        {
            string reason = handshakeTimeout.IsCancellationRequested
                ? $"it took longer than {options.HandshakeTimeout.TotalSeconds:F0} s"
                : e.Message;
            Log.TlsRefused(logger, peer, $"its TLS handshake failed: {reason}");
            return null;
        }
    }

    public void Dispose() => _selfSigned?.Dispose();

    private SslServerAuthenticationOptions Authentication()
    {
        lock (_making)
        {
            return _authentication ??= new SslServerAuthenticationOptions
            {
                // Built once; given the bare certificate, each handshake would look for its chain again.
                ServerCertificateContext = SslStreamCertificateContext.Create(
                    options.Certificate ?? MakeSelfSigned(), additionalCertificates: null, offline: true),
                ClientCertificateRequired = options.RequireClientCertificate,
                ApplicationProtocols = protocols,
            };
        }
    }

    private X509Certificate2 MakeSelfSigned()
    {
        if (options.TlsMode != TlsMode.Enforcing)
        {
            // Else the start has said so.
            Log.SelfSignedCertificate(logger);
        }

        using var key = RSA.Create(SelfSignedKeyBits);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        DateTimeOffset now = time.GetUtcNow();
        _selfSigned = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(1));
        return _selfSigned;
    }
}
