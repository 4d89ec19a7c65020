using System.Net;
using GrayMQ.Remoting.Clients;

namespace GrayMQ.Remoting.Tests.Clients;

public class RemotingAddressTests
{
    [Fact]
    public void Parse_EveryForm_IsRead()
    {
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 9876), RemotingAddress.Parse("127.0.0.1:9876"));
        Assert.Equal(new IPEndPoint(IPAddress.IPv6Loopback, 9876), RemotingAddress.Parse("[::1]:9876"));
        Assert.Equal(new DnsEndPoint("broker-a.example", 10911), RemotingAddress.Parse("broker-a.example:10911"));
    }

    [Fact]
    public void ParseList_SeparatedBySemicolons_GivesEach()
    {
        Assert.Equal(["a:1", "b:2"], RemotingAddress.ParseList(" a:1 ;b:2;"));
        Assert.Throws<FormatException>(() => RemotingAddress.ParseList(" ; "));
        Assert.Throws<FormatException>(() => RemotingAddress.ParseList("a:1;b"));
    }
}
