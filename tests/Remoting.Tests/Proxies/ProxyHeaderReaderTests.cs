using System.Buffers;
using System.Net;
using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Proxies;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Proxies;

public class ProxyHeaderReaderTests
{
    private const int SignatureBytes = 12;

    /// <summary>Client; null where the header leaves it open; "wait" where it is not complete; "refused".</summary>
    private static string? Read(byte[] bytes, out long rest)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        rest = buffer.Length;
        ProxyHeaderSign sign = ProxyHeaderReader.Look(buffer);
        if (sign is ProxyHeaderSign.None or ProxyHeaderSign.Undecided)
        {
            return sign == ProxyHeaderSign.None ? "none" : "wait";
        }

        try
        {
            bool read = ProxyHeaderReader.TryRead(sign, ref buffer, out IPEndPoint? client);
            rest = buffer.Length;
            return read ? client?.ToString() : "wait";
        }
        catch (ProtocolException)
        {
            return "refused";
        }
    }

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.1 192.0.2.200 56324 10911", "192.0.2.1:56324")]
    [InlineData("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535", "255.255.255.255:65535")]
    [InlineData("PROXY TCP4 0.0.0.0 0.0.0.0 0 0", "0.0.0.0:0")]
    [InlineData("PROXY TCP6 2001:db8::1 2001:db8::2 56324 10911", "[2001:db8::1]:56324")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.1 ::1 56324 10911", "192.0.2.1:56324")]
    [InlineData("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")]
    [InlineData("PROXY UNKNOWN", null)]
    [InlineData("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535", null)]
    public void Line_AsProxiesWriteIt_NamesTheClient(string line, string? client)
    {
        byte[] header = ProxyHeaders.Line(line);
        Assert.Equal(client, Read([.. header, 0, 0, 1], out long rest));
        Assert.Equal(3, rest);
        for (int length = 0; length < header.Length; length++)
        {
            Assert.Equal("wait", Read(header[..length], out _));
        }
    }

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.1 192.0.2.200 56324")]
    [InlineData("PROXY TCP4 192.0.2.1 192.0.2.200 56324 10911 1")]
    [InlineData("PROXY TCP4  192.0.2.1 192.0.2.200 56324 10911")]
    [InlineData("PROXY TCP4 192.0.2.256 192.0.2.200 56324 10911")]
    [InlineData("PROXY TCP4 192.0.513 192.0.2.200 56324 10911")]
    [InlineData("PROXY TCP4 0xC0.0.2.1 192.0.2.200 56324 10911")]
    [InlineData("PROXY TCP4 192.0.2.01 192.0.2.200 56324 10911")]
    [InlineData("PROXY TCP4 2001:db8::1 2001:db8::2 56324 10911")]
    [InlineData("PROXY TCP6 192.0.2.1 192.0.2.200 56324 10911")]
    [InlineData("PROXY TCP6 fe80::1%eth0 ::1 56324 10911")]
    [InlineData("PROXY TCP6 [::1] ::1 56324 10911")]
    [InlineData("PROXY TCP4 192.0.2.1 192.0.2.200 65536 10911")]
    [InlineData("PROXY TCP4 192.0.2.1 192.0.2.200 056 10911")]
    [InlineData("PROXY TCP4 192.0.2.1 192.0.2.200 -1 10911")]
    [InlineData("PROXY TCP4 192.0.2.1 192.0.2.200 +1 10911")]
    [InlineData("PROXY TCP4 192.0.2.1 192.0.2.200 1 10911 ")]
    [InlineData("PROXY TCP4 192.0.2.1 192.0.2.200 1 10911\n")]
    [InlineData("PROXY UDP4 192.0.2.1 192.0.2.200 56324 10911")]
    [InlineData("PROXY tcp4 192.0.2.1 192.0.2.200 56324 10911")]
    [InlineData("PROXY ")]
    public void Line_ThatNobodyMaySend_IsRefused(string line) => Assert.Equal("refused", Read(ProxyHeaders.Line(line), out _));

    [Fact]
    public void Line_WithoutEnd_IsRefusedAtTheLimit()
    {
        string endless = "PROXY UNKNOWN " + new string('x', 200);
        Assert.Equal("wait", Read(Encoding.ASCII.GetBytes(endless[..(ProxyHeaderReader.MaxLineBytes - 1)]), out _));
        Assert.Equal("refused", Read(Encoding.ASCII.GetBytes(endless[..ProxyHeaderReader.MaxLineBytes]), out _));
        Assert.Equal("refused", Read(ProxyHeaders.Line(endless), out _));
    }

    [Theory]
    [InlineData("192.0.2.1:56324", "192.0.2.200:10911", "192.0.2.1:56324")]
    [InlineData("[2001:db8::1]:56324", "[2001:db8::2]:10911", "[2001:db8::1]:56324")]
    [InlineData("[::ffff:192.0.2.1]:56324", "[::1]:10911", "192.0.2.1:56324")]
    public void Bytes_AsProxiesWriteThem_NameTheClient(string client, string server, string expected)
    {
        // PP2_TYPE_AUTHORITY, and one of a type that nobody knows.
        foreach (byte[] fields in new byte[][] { [], [0x02, 0, 3, 1, 2, 3, 0xEE, 0, 0] })
        {
            byte[] header = ProxyHeaders.For(client, server, fields);
            Assert.Equal(expected, Read([.. header, 9], out long rest));
            Assert.Equal(1, rest);
            for (int length = 0; length < header.Length; length++)
            {
                Assert.Equal("wait", Read(header[..length], out _));
            }
        }
    }

    [Theory]
    [InlineData(ProxyHeaders.Local, 0x00, 0)]
    [InlineData(ProxyHeaders.Local, 0x11, 12)]
    [InlineData(ProxyHeaders.Local, 0xFF, 3)] // the family of a proxy's own check says nothing
    [InlineData(ProxyHeaders.Proxy, 0x00, 0)]
    [InlineData(ProxyHeaders.Proxy, 0x00, 40)]
    [InlineData(ProxyHeaders.Proxy, 0x31, 216)] // a Unix socket
    public void Bytes_WithoutAClientsAddress_AreTaken(byte command, byte family, int bytes)
    {
        Assert.Null(Read([.. ProxyHeaders.Bytes(command, family, new byte[bytes]), 9], out long rest));
        Assert.Equal(1, rest);
    }

    [Theory]
    [InlineData(0x22, 0x11, 12, null)] // no such command
    [InlineData(0x11, 0x11, 12, null)] // version 1 is a line
    [InlineData(0x31, 0x11, 12, null)]
    [InlineData(ProxyHeaders.Proxy, 0x12, 12, null)] // datagrams
    [InlineData(ProxyHeaders.Proxy, 0x22, 36, null)]
    [InlineData(ProxyHeaders.Proxy, 0x10, 12, null)]
    [InlineData(ProxyHeaders.Proxy, 0x41, 36, null)] // no such family
    [InlineData(ProxyHeaders.Proxy, 0x11, 11, null)] // too short
    [InlineData(ProxyHeaders.Proxy, 0x21, 35, null)]
    [InlineData(ProxyHeaders.Proxy, 0x11, 0, 4081)] // too long: seen before it has come
    [InlineData(ProxyHeaders.Local, 0x00, 0, 65535)]
    public void Bytes_ThatNobodyMaySend_AreRefused(byte command, byte family, int bytes, int? length) =>
        Assert.Equal("refused", Read(ProxyHeaders.Bytes(command, family, new byte[bytes], length), out _));

    [Fact]
    public void Bytes_OfTheLargestSize_AreTaken()
    {
        byte[] fields = new byte[ProxyHeaderReader.MaxBytes - SignatureBytes - 4 - 12];
        byte[] header = ProxyHeaders.For("192.0.2.1:1", fields: fields);
        Assert.Equal(ProxyHeaderReader.MaxBytes, header.Length);
        Assert.Equal("192.0.2.1:1", Read(header, out long rest));
        Assert.Equal(0, rest);
    }

    [Fact]
    public void Look_AtFramesAndTls_SeesNoHeader()
    {
        Assert.Equal("none", Read(RawClient.Request(Tables.Echo, 1), out _));
        Assert.Equal("none", Read([0x16, 3, 1], out _));
        Assert.Equal("none", Read("PRI * HTTP/2.0\r\n"u8.ToArray(), out _));
        Assert.Equal("none", Read("POST / HTTP/1.1\r\n"u8.ToArray(), out _));
        Assert.Equal("none", Read([0x0D, 0x0A, 0x0D, 0x0B], out _));
    }
}
