using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Protocol.Tests.Bodies;

public sealed class RegisterBrokerBodyCodecTests
{
    private const int Version533 = 479;

    [Fact]
    public void CompressedForm_ReadBack_HoldsTheSame()
    {
        var body = Sample();

        var read = RegisterBrokerBodyCodec.Decode(
            new(RegisterBrokerBodyCodec.Encode(body, compress: true)), compressed: true, Version533);

        Assert.Equal(BodyCodec.Encode(body), BodyCodec.Encode(read));
    }

    [Fact]
    public void CompressedForm_CalledUncompressed_IsReadAllTheSame()
    {
        RegisterBrokerBody read = RegisterBrokerBodyCodec.Decode(
            new(RegisterBrokerBodyCodec.Encode(Sample(), compress: true)), compressed: false, Version533);

        Assert.Equal(BodyCodec.Encode(Sample()), BodyCodec.Encode(read));
    }

    [Fact]
    public void CompressedForm_Inflated_IsLaidOutAsRocketMqDoes()
    {
        var body = new RegisterBrokerBody
        {
            TopicConfigSerializeWrapper = new()
            {
                DataVersion = new(Counter: 2, StateVersion: 0, Timestamp: 1),
                TopicConfigTable = { ["T"] = new() { TopicName = "T", ReadQueueNums = 8, WriteQueueNums = 4 } },
            },
        };

        var inflated = Inflate(RegisterBrokerBodyCodec.Encode(body, compress: true));

        Assert.Equal(
            Block("""{"counter":2,"stateVersion":0,"timestamp":1}""")
                .Concat(Int32(1)).Concat(Block("T 8 4 6 SINGLE_TAG {}"))
                .Concat(Block("[]"))
                .Concat(Int32(0)),
            inflated);
    }

    [Fact]
    public void CompressedForm_OfBrokerBefore5_EndsWithoutMappings()
    {
        var bytes = Deflate(
            [.. Block("{}"), .. Int32(1), .. Block("T 8 4 6 SINGLE_TAG"), .. Block("[\"f1\"]")]);

        var body = RegisterBrokerBodyCodec.Decode(new(bytes), compressed: true, brokerVersion: 333);

        Assert.Equal(8, body.TopicConfigSerializeWrapper.TopicConfigTable["T"].ReadQueueNums);
        Assert.Equal(["f1"], body.FilterServerList);
    }

    [Fact]
    public void CompressedForm_CutAnywhere_IsRefused()
    {
        var whole = Inflate(RegisterBrokerBodyCodec.Encode(Sample(), compress: true));

        for (var length = 0; length < whole.Length; length++)
        {
            Assert.Throws<BodyFormatException>(() => Decode(Deflate(whole.AsSpan(0, length))));
        }
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(-1)]
    [InlineData(1_000)]
    public void CompressedForm_WithLyingLength_IsRefused(int length)
    {
        Assert.Throws<BodyFormatException>(() => Decode(Deflate(Int32(length))));
        Assert.Throws<BodyFormatException>(() => Decode(Deflate([.. Block("{}"), .. Int32(length)])));
    }

    [Theory]
    [InlineData("T")]
    [InlineData("T 8 4 x SINGLE_TAG {}")]
    [InlineData(" 8 4 6 SINGLE_TAG {}")]
    [InlineData("T 8 4 6 NO_TAG {}")]
    [InlineData("T 8 4 6 SINGLE_TAG {")]
    public void CompressedForm_WithBrokenTopic_IsRefused(string topic) =>
        Assert.Throws<BodyFormatException>(
            () => Decode(Deflate([.. Block("{}"), .. Int32(1), .. Block(topic), .. Block("[]"), .. Int32(0)])));

    [Fact]
    public void CompressedForm_ThatIsNoZlib_IsRefused() =>
        Assert.Throws<BodyFormatException>(() => Decode("not compressed at all"u8.ToArray()));

    [Fact]
    public void CompressedForm_ThatAsksForADictionary_IsRefused() =>
        Assert.Throws<BodyFormatException>(() => Decode([0x78, 0x20, 1, 2, 3, 4, 5, 6, 7, 8]));

    [Fact]
    public void CompressedForm_ThatBlowsUp_IsRefused()
    {
        using var bomb = new MemoryStream();
        using (var zlib = new ZLibStream(bomb, CompressionLevel.Fastest, leaveOpen: true))
        {
            var zeros = new byte[1024 * 1024];
            for (var written = 0; written <= RegisterBrokerBodyCodec.MaxInflatedBytes; written += zeros.Length)
            {
                zlib.Write(zeros);
            }
        }

        var refused = Assert.Throws<BodyFormatException>(() => Decode(bomb.ToArray()));
        Assert.Contains("inflates to more", refused.Message, StringComparison.Ordinal);
    }

    private static RegisterBrokerBody Sample() => new()
    {
        FilterServerList = ["127.0.0.1:1"],
        TopicConfigSerializeWrapper = new()
        {
            DataVersion = new(3, 1, 1795293698178),
            TopicConfigTable =
            {
                ["T"] = new() { TopicName = "T", Attributes = { ["+message.type"] = "FIFO" } },
                ["%RETRY%G"] = new() { TopicName = "%RETRY%G", ReadQueueNums = 1, WriteQueueNums = 1, Perm = 4 },
            },
            TopicQueueMappingInfoMap =
            {
                ["S"] = new() { Topic = "S", Bname = "broker-a", TotalQueues = 2, Epoch = 7, CurrIdMap = { [0] = 0, [1] = 5 } },
            },
        },
    };

    private static RegisterBrokerBody Decode(byte[] bytes) =>
        RegisterBrokerBodyCodec.Decode(new ReadOnlySequence<byte>(bytes), compressed: true, Version533);

    private static byte[] Int32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Block(string text) => [.. Int32(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Deflate(ReadOnlySpan<byte> bytes)
    {
        using var output = new MemoryStream();
        using (var zlib = new ZLibStream(output, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(bytes);
        }

        return output.ToArray();
    }

    private static byte[] Inflate(byte[] bytes)
    {
        using var zlib = new ZLibStream(new MemoryStream(bytes), CompressionMode.Decompress);
        using var output = new MemoryStream();
        zlib.CopyTo(output);
        return output.ToArray();
    }
}
