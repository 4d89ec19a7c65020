using System.Buffers;
using System.IO.Compression;
using GrayMQ.Fuzz.Seeds;
using GrayMQ.Grpc.Framing;

namespace GrayMQ.Fuzz.Targets;

/// <summary>The messages of a gRPC stream: the same ones come out however it is cut into segments, and none is longer than the limit.</summary>
internal sealed class GrpcFrameTarget : FuzzTarget
{
    private const int MaxLength = 64 * 1024;

    public override string Name => "grpc-frame";

    // A short message may be packed from one of the longest.
    public override long MaxAllocatedBytes(int inputBytes) => (1024 * 1024) + (64L * MaxLength * ((inputBytes / 32) + 1));

    public override IEnumerable<byte[]> Seeds() =>
    [
        Frame([], packed: false),
        Frame([10, 5, .. "hello"u8], packed: false),
        [.. Frame([10, 1, (byte)'a'], packed: false), .. Frame([10, 1, (byte)'b'], packed: false)],
        Frame(Pack([10, 5, .. "hello"u8]), packed: true),
        Frame(Pack(new byte[MaxLength]), packed: true),
        [.. Frame(Pack("twice"u8.ToArray()), packed: true), .. Frame("plain"u8.ToArray(), packed: false)],
    ];

    public override bool Run(byte[] input)
    {
        var whole = new ReadOnlySequence<byte>(input);
        ReadOnlySequence<byte> split = Sequences.Split(input);
        bool taken = false;
        while (true)
        {
            string first = Next(ref whole, out byte[] message);
            string second = Next(ref split, out byte[] same);
            FindingException.Unless(first == second, $"in one segment: {first}; in several: {second}");
            FindingException.Unless(whole.Length == split.Length, "the segments change where a message ends");
            if (first != "message")
            {
                return taken;
            }

            taken = true;
            FindingException.Unless(message.AsSpan().SequenceEqual(same), "the segments change what a message says");
            FindingException.Unless(message.Length <= MaxLength, $"a message has {message.Length} bytes");
        }
    }

    private static string Next(ref ReadOnlySequence<byte> buffer, out byte[] message)
    {
        message = [];
        long before = buffer.Length;
        try
        {
            if (!MessageFrame.TryRead(ref buffer, MaxLength, takesGzip: true, out ReadOnlySequence<byte> read, out int announced))
            {
                FindingException.Unless(buffer.Length == before, "a message that is not there was taken in part");
                FindingException.Unless(announced <= MaxLength, $"{announced} bytes are waited for");
                return "no message";
            }

            FindingException.Unless(before - buffer.Length == MessagePrefix.Bytes + announced, "a message lost bytes");
            message = read.ToArray();
            return "message";
        }
        catch (GrpcException e)
        {
            return e.Message;
        }
    }

    private static byte[] Frame(byte[] message, bool packed)
    {
        byte[] frame = new byte[MessagePrefix.Bytes + message.Length];
        new MessagePrefix(packed, message.Length).Write(frame);
        message.CopyTo(frame, MessagePrefix.Bytes);
        return frame;
    }

    private static byte[] Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }
}
