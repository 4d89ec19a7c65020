using System.Net;
using System.Text;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Protocol.Tests.Messages;

public class MessageHostTests
{
    [Theory]
    [InlineData("127.0.0.1", 8)]
    [InlineData("::1", 20)]
    [InlineData("2001:db8::42", 20)]
    public void Host_RoundTrips(string address, int encodedBytes)
    {
        var endPoint = new IPEndPoint(IPAddress.Parse(address), 10911);
        MessageHost host = MessageHost.From(endPoint);
        byte[] bytes = new byte[20];
        Assert.Equal(encodedBytes, host.WriteTo(bytes));
        Assert.Equal(encodedBytes, host.EncodedBytes);
        MessageHost read = MessageHost.Read(bytes, host.IsV6);
        Assert.Equal(host, read);
        Assert.Equal(endPoint, read.ToEndPoint());
    }

    [Fact]
    public void From_MappedAddress_IsIPv4() => Assert.Equal(
        MessageHost.FromV4(0x0A000001, 5),
        MessageHost.From(new IPEndPoint(IPAddress.Parse("::ffff:10.0.0.1"), 5)));

    [Fact]
    public void MessageId_OfIPv4_IsWhatRocketMQWrites()
    {
        MessageHost host = MessageHost.FromV4(0x7F000002, 0x0000A3B7);
        Assert.Equal("7F0000020000A3B70000000000005BCF", MessageId.Format(host, 0x5BCF));

        byte[] utf8 = new byte[32];
        Assert.True(MessageId.TryFormat(utf8, host, 0x5BCF, out int written));
        Assert.Equal("7F0000020000A3B70000000000005BCF", Encoding.ASCII.GetString(utf8, 0, written));
        Assert.False(MessageId.TryFormat(utf8.AsSpan(0, 31), host, 0x5BCF, out _));
    }

    [Theory]
    [InlineData("192.168.0.9", 0)]
    [InlineData("192.168.0.9", 0x0123456789ABCDEF)]
    [InlineData("fe80::17", long.MaxValue)]
    public void MessageId_InTwoPieces_IsTheSame(string address, long offset)
    {
        MessageHost host = MessageHost.From(IPAddress.Parse(address), 10911);
        byte[] digits = new byte[MessageId.OffsetDigits];
        MessageId.WriteOffset(digits, offset);
        Assert.Equal(MessageId.Format(host, offset), Encoding.ASCII.GetString([.. MessageId.HostDigits(host), .. digits]));
        Assert.Throws<ArgumentException>(() => MessageId.WriteOffset(digits.AsSpan(1), offset));
    }

    [Theory]
    [InlineData("192.168.0.9")]
    [InlineData("fe80::17")]
    public void MessageId_ParsesWhatItFormats(string address)
    {
        MessageHost host = MessageHost.From(IPAddress.Parse(address), 65535);
        Assert.True(MessageId.TryParse(MessageId.Format(host, long.MaxValue), out MessageHost read, out long offset));
        Assert.Equal(host, read);
        Assert.Equal(long.MaxValue, offset);
    }

    [Theory]
    [InlineData("")]
    [InlineData("7F0000020000A3B70000000000005BC")]
    [InlineData("7F0000020000A3B70000000000005BCG")]
    [InlineData("7F0000020000A3B70000000000005B\u0130\u0130")]
    public void MessageId_NoId_IsRefused(string text) => Assert.False(MessageId.TryParse(text, out _, out _));
}
