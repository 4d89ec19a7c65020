using System.Globalization;
using System.Security.Cryptography;
using GrayMQ.Protocol.Messages;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Sending;

/// <summary>Digests of bodies, by which clients find out that one was damaged on its way.</summary>
internal static class BodyDigest
{
    /// <summary>The digest that all client libraries agree on: MD5 as upper-case hex, which is not a matter of security here.</summary>
    public static V2.Digest Of(ReadOnlySpan<byte> body) => new() { Type = V2.DigestType.Md5, Checksum = Md5(body) };

    /// <summary>Whether the digest is of this body. CRC-32 is hex in some libraries and decimal in others: either is right.</summary>
    public static bool Matches(V2.Digest digest, ReadOnlySpan<byte> body) => digest.Type switch
    {
        V2.DigestType.Crc32 => Crc32Matches(digest.Checksum, Crc32.Compute(body)),
        V2.DigestType.Md5 => string.Equals(digest.Checksum, Md5(body), StringComparison.OrdinalIgnoreCase),
        V2.DigestType.Sha1 => string.Equals(digest.Checksum, Sha1(body), StringComparison.OrdinalIgnoreCase),
        _ => true,
    };

    private static bool Crc32Matches(string checksum, uint crc) =>
        (uint.TryParse(checksum, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number == crc)
        || (uint.TryParse(checksum, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number) && number == crc);

#pragma warning disable CA5350, CA5351 // What is found out is damage, not forgery; the protocol names these.
    private static string Md5(ReadOnlySpan<byte> body)
    {
        Span<byte> hash = stackalloc byte[MD5.HashSizeInBytes];
        MD5.HashData(body, hash);
        return Convert.ToHexString(hash);
    }

    private static string Sha1(ReadOnlySpan<byte> body)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(body, hash);
        return Convert.ToHexString(hash);
    }
#pragma warning restore CA5350, CA5351
}
