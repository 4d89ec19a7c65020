using System.Buffers;
using System.IO.Compression;

namespace GrayMQ.Grpc.Framing;

/// <summary>Messages in the encoding <c>gzip</c>.</summary>
internal static class GzipMessages
{
    public const string Name = "gzip";

    private const int ChunkBytes = 16 * 1024;

    /// <summary>Unpacks a message; stops as soon as it is too long, however well it was packed.</summary>
    /// <exception cref="GrpcException">It is not gzip, or longer than <paramref name="maxLength"/>.</exception>
    public static ReadOnlyMemory<byte> Unpack(in ReadOnlySequence<byte> packed, int maxLength)
    {
        // A whole message is at hand: copying it is cheaper than a stream over a sequence.
        using var input = new MemoryStream(packed.ToArray(), writable: false);
        using var gzip = new GZipStream(input, CompressionMode.Decompress);
        var output = new ArrayBufferWriter<byte>((int)Math.Min(maxLength, (packed.Length * 2) + ChunkBytes));
        try
        {
            while (true)
            {
                Span<byte> chunk = output.GetSpan(ChunkBytes);
                int read = gzip.Read(chunk[..ChunkBytes]);
                if (read == 0)
                {
                    return output.WrittenMemory;
                }

                output.Advance(read);
                if (output.WrittenCount > maxLength)
                {
                    throw MessagePrefix.TooLarge(output.WrittenCount, maxLength);
                }
            }
        }
        catch (InvalidDataException e)
        {
            throw new GrpcException(GrpcStatusCode.Internal, $"a message is not gzip: {e.Message}", "MALFORMED_FRAME");
        }
    }

    public static ReadOnlyMemory<byte> Pack(ReadOnlyMemory<byte> message)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(message.Span);
        }

        return output.GetBuffer().AsMemory(0, (int)output.Length);
    }
}
