using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace GrayMQ.Compatibility.Tests.RocketMqNode;

/// <summary>A certificate of this machine's loopback address, as a client checks it.</summary>
internal static class TestCertificate
{
    /// <summary>A PEM file that holds both the certificate and its key.</summary>
    public static string Create()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        string path = Path.Combine(Directory.CreateTempSubdirectory("graymq-certificate-").FullName, "server.pem");
        File.WriteAllText(path, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        return path;
    }

    /// <summary>The broker's settings to show it; none for null.</summary>
    public static string[] Settings(string? path) =>
        path is null ? [] : [$"tls.server.certPath={path}", $"tls.server.keyPath={path}"];
}
