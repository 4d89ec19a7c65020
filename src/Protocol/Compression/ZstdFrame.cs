using System.Buffers;
using System.Runtime.InteropServices;

namespace GrayMQ.Protocol.Compression;

/// <summary>Reads Zstandard frames (zstd.h).</summary>
internal static unsafe partial class ZstdFrame
{
    private const int BufferBytes = 64 * 1024;

    /// <exception cref="InvalidDataException">It is no frame, or too large, or there is no library to read it with.</exception>
    public static byte[] Decompress(ReadOnlySpan<byte> compressed, int maxBytes)
    {
        CompressionLibrary.Require(CompressionLibrary.Zstd, "Zstandard");
        nint stream = ZSTD_createDStream();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var plain = new PlainBody(maxBytes);
            fixed (byte* source = compressed)
            fixed (byte* target = buffer)
            {
                var input = new Input { Source = source, Size = (nuint)compressed.Length };
                nuint hint;
                do
                {
                    nuint before = input.Position;
                    var output = new Output { Target = target, Size = (nuint)buffer.Length };
                    hint = Check(ZSTD_decompressStream(stream, &output, &input));
                    plain.Add(buffer.AsSpan(0, (int)output.Position));
                    if (hint != 0 && output.Position == 0 && input.Position == before)
                    {
                        throw new InvalidDataException("The body is cut off: its Zstandard frame does not end.");
                    }
                }
                while (hint != 0 || input.Position < input.Size);
            }

            return plain.ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            ZSTD_freeDStream(stream);
        }
    }

    private static nuint Check(nuint code) => ZSTD_isError(code) == 0
        ? code
        : throw new InvalidDataException(
            $"The body is not what Zstandard compresses to: {Marshal.PtrToStringUTF8((nint)ZSTD_getErrorName(code))}.");

    [LibraryImport(CompressionLibrary.Zstd)]
    private static partial nint ZSTD_createDStream();

    [LibraryImport(CompressionLibrary.Zstd)]
    private static partial nuint ZSTD_freeDStream(nint stream);

    [LibraryImport(CompressionLibrary.Zstd)]
    private static partial nuint ZSTD_decompressStream(nint stream, Output* output, Input* input);

    [LibraryImport(CompressionLibrary.Zstd)]
    private static partial uint ZSTD_isError(nuint code);

    [LibraryImport(CompressionLibrary.Zstd)]
    private static partial byte* ZSTD_getErrorName(nuint code);

    [StructLayout(LayoutKind.Sequential)]
    private struct Input
    {
        public byte* Source;
        public nuint Size;
        public nuint Position;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Output
    {
        public byte* Target;
        public nuint Size;
        public nuint Position;
    }
}
