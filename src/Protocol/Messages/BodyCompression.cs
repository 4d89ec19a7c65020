using System.IO.Compression;
using GrayMQ.Protocol.Compression;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// Compressed bodies, by the type that their message's system flag names: zlib, which is part of .NET, LZ4 frames and Zstandard, for which
/// the system has to have liblz4 and libzstd.
/// </summary>
public static class BodyCompression
{
    /// <summary>Largest body after decompression, unless told otherwise.</summary>
    public const int DefaultMaxBytes = 64 * 1024 * 1024;

    private const int BufferBytes = 8 * 1024;

    /// <summary>The plain body.</summary>
    /// <param name="sysFlag">See <see cref="MessageSysFlag"/>.</param>
    /// <param name="maxBytes">The largest plain body to accept.</param>
    /// <exception cref="InvalidDataException">
    /// The body is not what its type compresses to, or too large, or its type is unknown here.
    /// </exception>
    public static byte[] Decompress(ReadOnlySpan<byte> body, int sysFlag, int maxBytes = DefaultMaxBytes)
    {
        int type = sysFlag & MessageSysFlag.CompressionTypeMask;
        return type switch
        {
            0 or MessageSysFlag.CompressionZlib => DecompressZlib(body, maxBytes),
            MessageSysFlag.CompressionLz4 => Lz4Frame.Decompress(body, maxBytes),
            MessageSysFlag.CompressionZstd => ZstdFrame.Decompress(body, maxBytes),
            _ => throw new InvalidDataException(
                $"The body is compressed with type {type >> 8}: only LZ4 (1), Zstandard (2) and zlib (3) are known."),
        };
    }

    private static byte[] DecompressZlib(ReadOnlySpan<byte> body, int maxBytes)
    {
        using var compressed = new MemoryStream(body.ToArray(), writable: false);
        using var inflater = new ZLibStream(compressed, CompressionMode.Decompress);
        var plain = new PlainBody(maxBytes);
        byte[] buffer = new byte[BufferBytes];
        try
        {
            int read;
            while ((read = inflater.Read(buffer)) > 0)
            {
                plain.Add(buffer.AsSpan(0, read));
            }
        }
        catch (IOException e)
        {
            // A preset dictionary is asked for, which no sender has.
            throw new InvalidDataException("The body is not what zlib compresses to.", e);
        }

        return plain.ToArray();
    }
}
