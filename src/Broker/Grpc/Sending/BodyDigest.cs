using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Sending;

/// <summary>Digests of bodies, by which clients find out that one was damaged on its way.</summary>
internal static class BodyDigest
{
    /// <summary>The most characters of a digest that <see cref="Write"/> writes.</summary>
    public const int MaxCharacters = 2 * MD5.HashSizeInBytes;

    /// <summary>
    /// Writes the digest of a body as upper-case hex. MD5 is what all client libraries agree on (which is not a matter of security
    /// here) and CRC-32 costs a tenth: it is for the libraries that take it in hex, and where it has all 8 digits, since some of them
    /// leave leading zeros out.
    /// </summary>
    /// <param name="destination">At least <see cref="MaxCharacters"/>.</param>
    public static V2.DigestType Write(ReadOnlySpan<byte> body, LanguageCode language, Span<byte> destination, out int length)
    {
        const uint EightDigits = 0x1000_0000;
        if (language is LanguageCode.Java or LanguageCode.DotNet or LanguageCode.Go or LanguageCode.Python
            && Crc32.Compute(body) is >= EightDigits and uint crc)
        {
            Utf8Formatter.TryFormat(crc, destination, out length, new StandardFormat('X', 8));
            return V2.DigestType.Crc32;
        }

        Span<byte> hash = stackalloc byte[MD5.HashSizeInBytes];
#pragma warning disable CA5351 // What is found out is damage, not forgery.
        MD5.HashData(body, hash);
#pragma warning restore CA5351
        Convert.TryToHexString(hash, destination, out length);
        return V2.DigestType.Md5;
    }

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
