using System.Security.Cryptography.X509Certificates;

namespace GrayMQ.Remoting.Servers;

/// <summary>Reads the certificate that a server shows to TLS clients.</summary>
public static class ServerCertificate
{
    /// <param name="certificatePath">PEM file; empty means none.</param>
    /// <param name="keyPath">PEM file of its key; empty when it is in the same file.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file does not hold what it should.</exception>
    public static X509Certificate2? Load(string certificatePath, string keyPath) =>
        certificatePath.Length == 0
            ? null
            : X509Certificate2.CreateFromPemFile(certificatePath, keyPath.Length == 0 ? null : keyPath);
}
