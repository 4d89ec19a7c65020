using System.Buffers;

namespace GrayMQ.Protocol.Compression;

/// <summary>A body that is being decompressed, up to a limit: a small body must not become all memory.</summary>
internal sealed class PlainBody(int maxBytes)
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <exception cref="InvalidDataException">It has become too large.</exception>
    public void Add(ReadOnlySpan<byte> part)
    {
        if (_bytes.WrittenCount + (long)part.Length > maxBytes)
        {
            throw new InvalidDataException($"The body is larger than {maxBytes} bytes after decompression.");
        }

        _bytes.Write(part);
    }

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
}
