using System.Buffers;
using System.Buffers.Binary;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Tests.Messages;

namespace GrayMQ.Protocol.Tests.Commands;

public class FrameTests
{
    private static readonly CommandLimits Small = new() { MaxFrameBytes = 1000, MaxHeaderBytes = 200 };

    private static bool TryRead(byte[] bytes, CommandLimits limits)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        return Frame.TryRead(ref buffer, limits, out _);
    }

    private static byte[] Prefix(int frameLength, int typeAndHeaderLength)
    {
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(prefix, frameLength);
        BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(4), typeAndHeaderLength);
        return prefix;
    }

    [Fact]
    public void TryRead_SplitAtEveryByte_GivesTheSameFrame()
    {
        byte[] bytes = Frames.Json("""{"code":10,"extFields":{"a":"b"}}""", "the body");
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            for (int second = 1; second <= 3; second++)
            {
                RemotingCommand command = Frames.Decode(Sequences.Split(bytes, cut, second));
                Assert.Equal(10, command.Code);
                Assert.Equal("b", command.Fields.GetString("a"u8));
                Assert.Equal("the body"u8.ToArray(), command.Body.ToArray());
            }
        }
    }

    [Fact]
    public void TryRead_EveryPrefix_WaitsAndLeavesTheBufferAlone()
    {
        byte[] bytes = Frames.Json("""{"code":10}""", "body");
        for (int length = 0; length < bytes.Length; length++)
        {
            var buffer = new ReadOnlySequence<byte>(bytes, 0, length);
            Assert.False(Frame.TryRead(ref buffer, CommandLimits.Default, out _));
            Assert.Equal(length, buffer.Length);
        }
    }

    [Fact]
    public void TryRead_SeveralFrames_TakesOneAfterTheOther()
    {
        byte[] bytes = [.. Frames.Json("""{"code":1}""", "x"), .. Frames.Json("""{"code":2}"""), .. Frames.Json("""{"code":3}""", "yz"), 0];
        var buffer = new ReadOnlySequence<byte>(bytes);
        var command = new RemotingCommand();
        for (int code = 1; code <= 3; code++)
        {
            Assert.True(Frame.TryRead(ref buffer, CommandLimits.Default, out Frame frame));
            command.Decode(in frame, CommandLimits.Default);
            Assert.Equal(code, command.Code);
        }

        Assert.False(Frame.TryRead(ref buffer, CommandLimits.Default, out _));
        Assert.Equal(1, buffer.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(1001)]
    [InlineData(int.MaxValue)]
    [InlineData(0x16030100)] // a TLS handshake
    [InlineData(0x47455420)] // "GET "
    public void TryRead_FrameLengthOutOfRange_ThrowsAsSoonAsItIsThere(int length)
    {
        Assert.Throws<ProtocolException>(() => TryRead(Prefix(length, 0)[..4], Small));
        Assert.Throws<ProtocolException>(() => TryRead(Prefix(length, 0), Small));
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(100, 97)]
    [InlineData(100, 0x00FFFFFF)]
    [InlineData(900, 201)]
    public void TryRead_HeaderLengthLies_ThrowsBeforeTheFrameIsThere(int frameLength, int headerLength) =>
        Assert.Throws<ProtocolException>(() => TryRead(Prefix(frameLength, headerLength), Small));

    [Theory]
    [InlineData(2)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(255)]
    public void TryRead_UnknownSerializationType_Throws(int type) =>
        Assert.Throws<ProtocolException>(() => TryRead(Prefix(100, (type << 24) | 50), Small));

    [Fact]
    public void TryRead_LargestFrameAndHeader_IsTaken()
    {
        byte[] frame = Frames.Of(1, new byte[200], new byte[796]);
        Assert.True(TryRead(frame, Small));
        Assert.False(TryRead(frame[..^1], Small));
    }
}
