using System.Buffers;
using System.IO.Compression;
using GrayMQ.Fuzz.Seeds;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Fuzz.Targets;

/// <summary>
/// A broker's compressed registration. The input is what it inflates to, so that mutations reach the blocks; when its first
/// byte is odd the rest is taken as compressed bytes.
/// </summary>
internal sealed class RegistrationTarget : FuzzTarget
{
    private const int BrokerVersion = 479;

    public override string Name => "registration";

    public override long MaxAllocatedBytes(int inputBytes) => (2 * 1024 * 1024) + (2_000L * inputBytes);

    public override IEnumerable<byte[]> Seeds()
    {
        foreach ((_, byte[] json) in Recorded.Bodies().Where(body => body.Type == nameof(RegisterBrokerBody)))
        {
            byte[] compressed = RegisterBrokerBodyCodec.Encode(BodyCodec.Decode<RegisterBrokerBody>(json), compress: true);
            yield return [1, .. compressed];
            using var inflater = new ZLibStream(new MemoryStream(compressed), CompressionMode.Decompress);
            using var plain = new MemoryStream();
            inflater.CopyTo(plain);
            yield return [0, .. plain.ToArray()];
        }
    }

    public override bool Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return false;
        }

        byte[] bytes = (input[0] & 1) == 1 ? input[1..] : Deflate(input.AsSpan(1));
        try
        {
            RegisterBrokerBody body = RegisterBrokerBodyCodec.Decode(new ReadOnlySequence<byte>(bytes), compressed: true, BrokerVersion);
            byte[] again = RegisterBrokerBodyCodec.Encode(body, compress: true);
            RegisterBrokerBodyCodec.Decode(Sequences.Split(again), compressed: true, BrokerVersion);
            return true;
        }
        catch (BodyFormatException)
        {
            return false;
        }
    }

    private static byte[] Deflate(ReadOnlySpan<byte> plain)
    {
        using var compressed = new MemoryStream();
        using (var deflater = new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflater.Write(plain);
        }

        return compressed.ToArray();
    }
}
