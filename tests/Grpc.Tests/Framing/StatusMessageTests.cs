using GrayMQ.Grpc.Framing;

namespace GrayMQ.Grpc.Tests.Framing;

public sealed class StatusMessageTests
{
    [Theory]
    [InlineData("plain text, 100 chars?", "plain text, 100 chars?")]
    [InlineData("100%", "100%25")]
    [InlineData("a\nb", "a%0Ab")]
    [InlineData("für", "f%C3%BCr")]
    [InlineData("消息", "%E6%B6%88%E6%81%AF")]
    [InlineData("😀", "%F0%9F%98%80")]
    public void Encode_OfText_IsPrintableAscii(string message, string expected) =>
        Assert.Equal(expected, StatusMessage.Encode(message));

    [Fact]
    public void Encode_VeryLong_IsCut() => Assert.Equal(1024, StatusMessage.Encode(new string('x', 100_000)).Length);

    [Fact]
    public void Encode_HalfASurrogate_IsNoError() => Assert.Equal("%EF%BF%BD", StatusMessage.Encode("\ud83d"));
}
