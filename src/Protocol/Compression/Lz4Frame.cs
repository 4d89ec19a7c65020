using System.Buffers;
using System.Runtime.InteropServices;

namespace GrayMQ.Protocol.Compression;

/// <summary>Reads LZ4 frames, which is what RocketMQ's clients write (lz4frame.h).</summary>
internal static unsafe partial class Lz4Frame
{
    // LZ4F_VERSION: the same in all 1.x.
    private const uint Version = 100;
    private const int BufferBytes = 64 * 1024;

    /// <exception cref="InvalidDataException">It is no frame, or too large, or there is no library to read it with.</exception>
    public static byte[] Decompress(ReadOnlySpan<byte> compressed, int maxBytes)
    {
        CompressionLibrary.Require(CompressionLibrary.Lz4, "LZ4");
        nint context = 0;
        Check(LZ4F_createDecompressionContext(&context, Version));
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var plain = new PlainBody(maxBytes);
            nuint hint = 1;
            while (!compressed.IsEmpty && hint != 0)
            {
                nuint written = (nuint)buffer.Length;
                nuint read = (nuint)compressed.Length;
                fixed (byte* source = compressed)
                fixed (byte* target = buffer)
                {
                    hint = Check(LZ4F_decompress(context, target, &written, source, &read, null));
                }

                if (read == 0 && written == 0)
                {
                    break;
                }

                plain.Add(buffer.AsSpan(0, (int)written));
                compressed = compressed[(int)read..];
            }

            // What is left of the input may still be inside of the context.
            while (hint != 0)
            {
                nuint written = (nuint)buffer.Length;
                nuint read = 0;
                byte nothing = 0;
                fixed (byte* target = buffer)
                {
                    hint = Check(LZ4F_decompress(context, target, &written, &nothing, &read, null));
                }

                if (written == 0 && hint != 0)
                {
                    throw new InvalidDataException("The body is cut off: its LZ4 frame does not end.");
                }

                plain.Add(buffer.AsSpan(0, (int)written));
            }

            return plain.ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            LZ4F_freeDecompressionContext(context);
        }
    }

    private static nuint Check(nuint code) => LZ4F_isError(code) == 0
        ? code
        : throw new InvalidDataException(
            $"The body is not what LZ4 compresses to: {Marshal.PtrToStringUTF8((nint)LZ4F_getErrorName(code))}.");

    [LibraryImport(CompressionLibrary.Lz4)]
    private static partial nuint LZ4F_createDecompressionContext(nint* context, uint version);

    [LibraryImport(CompressionLibrary.Lz4)]
    private static partial nuint LZ4F_freeDecompressionContext(nint context);

    [LibraryImport(CompressionLibrary.Lz4)]
    private static partial nuint LZ4F_decompress(
        nint context, byte* target, nuint* targetBytes, byte* source, nuint* sourceBytes, void* options);

    [LibraryImport(CompressionLibrary.Lz4)]
    private static partial uint LZ4F_isError(nuint code);

    [LibraryImport(CompressionLibrary.Lz4)]
    private static partial byte* LZ4F_getErrorName(nuint code);
}
