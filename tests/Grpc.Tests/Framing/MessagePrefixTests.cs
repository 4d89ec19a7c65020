using System.Buffers;
using GrayMQ.Grpc.Framing;

namespace GrayMQ.Grpc.Tests.Framing;

public sealed class MessagePrefixTests
{
    private const int MaxLength = 1000;

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    [InlineData(false, MaxLength)]
    public void Write_ThenTryRead_IsTheSame(bool compressed, int length)
    {
        var prefix = new MessagePrefix(compressed, length);
        byte[] bytes = new byte[MessagePrefix.Bytes];
        prefix.Write(bytes);
        Assert.True(MessagePrefix.TryRead(new ReadOnlySequence<byte>(bytes), MaxLength, out MessagePrefix read));
        Assert.Equal(prefix, read);
    }

    [Fact]
    public void TryRead_NotAllThere_IsFalse() =>
        Assert.False(MessagePrefix.TryRead(new ReadOnlySequence<byte>([0, 0, 0, 0]), MaxLength, out _));

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 3, 233 })]
    [InlineData(new byte[] { 0, 0x7f, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0, 0xff, 0xff, 0xff, 0xff })]
    public void TryRead_AboveTheLimit_IsRefusedBeforeItComes(byte[] bytes)
    {
        var refused = Assert.Throws<GrpcException>(
            () => MessagePrefix.TryRead(new ReadOnlySequence<byte>(bytes), MaxLength, out _));
        Assert.Equal(GrpcStatusCode.ResourceExhausted, refused.Code);
    }

    [Fact]
    public void TryRead_UnknownFlag_IsRefused()
    {
        var refused = Assert.Throws<GrpcException>(
            () => MessagePrefix.TryRead(new ReadOnlySequence<byte>([2, 0, 0, 0, 0]), MaxLength, out _));
        Assert.Equal(GrpcStatusCode.Internal, refused.Code);
    }
}
