using System.Net;
using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Proxies;
using GrayMQ.Remoting.Servers;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Proxies;

/// <summary>A server that proxies connect to, raw on the wire.</summary>
public class ProxyProtocolTests
{
    private const string Client = "192.0.2.1:56324";

    private static Task<TestServer> StartAsync(
        ProxyMode mode, string source = "127.0.0.1", TlsMode tls = TlsMode.Permissive, ManualTime? time = null) =>
        TestServer.StartAsync(
            AddressTable(),
            options => options with { Proxy = ProxyOptions.From(mode, [source]), TlsMode = tls },
            time);

    // Answers with the address that a handler sees.
    private static RequestTable AddressTable() => new RequestTable().On<TestHeader>(Tables.Echo, (request, _) =>
    {
        request.Reply(ResponseCode.Success, request.Connection.RemoteEndPoint!.ToString());
        return ValueTask.CompletedTask;
    });

    private static string Own(RawClient client)
    {
        var address = (IPEndPoint)client.Socket.LocalEndPoint!;
        return new IPEndPoint(address.Address.MapToIPv4(), address.Port).ToString();
    }

    private static async Task<string?> AskAsync(RawClient client, params byte[][] before)
    {
        await client.SendAsync([.. before, RawClient.Request(Tables.Echo, 1)]);
        return (await client.ReadAnswerAsync()).Remark;
    }

    private static async Task AssertRefusedAsync(TestServer server, string reason, params byte[][] parts)
    {
        using RawClient client = await server.ConnectAsync();
        try
        {
            await client.SendAsync(parts);
        }
        catch (IOException)
        {
            // Closed while it was still being sent to.
        }

        Assert.Null(await client.ReadAsync());
        await Eventually.TrueAsync(() => server.Server.ConnectionCount == 0);
        Assert.Contains(server.Log.Warnings, line =>
            line.Contains(reason, StringComparison.Ordinal) && line.Contains("127.0.0.1:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Headers_OfBothVersions_GiveHandlersTheClientsAddress()
    {
        await using TestServer server = await StartAsync(ProxyMode.Optional);
        byte[][] headers =
        [
            ProxyHeaders.Line("PROXY TCP4 192.0.2.1 192.0.2.200 56324 10911"),
            ProxyHeaders.For(Client),
            ProxyHeaders.For(Client, fields: [4, 0, 10, .. new byte[10]]),
        ];
        foreach (byte[] header in headers)
        {
            // With the first frame in one packet, and byte by byte.
            using RawClient one = await server.ConnectAsync();
            Assert.Equal(Client, await AskAsync(one, header));
            Assert.Equal(Client, await AskAsync(one));
            using RawClient another = await server.ConnectAsync();
            Assert.Equal(Client, await AskAsync(another, [.. header.Select(b => new[] { b })]));
        }

        Assert.Empty(server.Log.Warnings);
    }

    [Theory]
    [InlineData("PROXY UNKNOWN")]
    [InlineData(null)]
    public async Task Header_WithoutAddress_LeavesTheProxys(string? line)
    {
        await using TestServer server = await StartAsync(ProxyMode.Required);
        using RawClient client = await server.ConnectAsync();
        byte[] header = line is null ? ProxyHeaders.Bytes(ProxyHeaders.Local, 0, []) : ProxyHeaders.Line(line);
        Assert.Equal(Own(client), await AskAsync(client, header));
    }

    [Fact]
    public async Task Header_BeforeTls_GivesHandlersTheClientsAddress()
    {
        await using TestServer server = await StartAsync(ProxyMode.Required, tls: TlsMode.Enforcing);
        using RawClient client = await RawClient.ConnectAsync(server.EndPoint, async plain =>
        {
            await plain.WriteAsync(ProxyHeaders.For(Client));
            return await Tls.ClientAsync(plain);
        });
        Assert.Equal(Client, await AskAsync(client));
    }

    [Fact]
    public async Task Optional_ServesThoseWithoutHeader()
    {
        await using TestServer server = await StartAsync(ProxyMode.Optional);
        using RawClient client = await server.ConnectAsync();
        Assert.Equal(Own(client), await AskAsync(client));
    }

    [Fact]
    public async Task Required_RefusesThoseWithoutHeader()
    {
        await using TestServer server = await StartAsync(ProxyMode.Required);
        await AssertRefusedAsync(server, "proxyProtocol is required", RawClient.Request(Tables.Echo, 1));
    }

    [Fact]
    public async Task Off_RefusesHeaders()
    {
        await using TestServer server = await StartAsync(ProxyMode.Off);
        await AssertRefusedAsync(server, "proxyProtocol is off", ProxyHeaders.For(Client), RawClient.Request(Tables.Echo, 1));
    }

    [Fact]
    public async Task Source_ThatIsNotTrusted_IsRefusedWithHeaderAndServedWithout()
    {
        await using TestServer server = await StartAsync(ProxyMode.Optional, "10.0.0.0/8");
        await AssertRefusedAsync(
            server, "not one of proxyProtocolSources", ProxyHeaders.For("10.0.0.1:1"), RawClient.Request(Tables.Echo, 1));
        using RawClient client = await server.ConnectAsync();
        Assert.Equal(Own(client), await AskAsync(client));
    }

    [Fact]
    public async Task Refusals_InCrowds_AreOneLine()
    {
        var time = new ManualTime();
        await using TestServer server = await StartAsync(ProxyMode.Off, time: time);
        for (int i = 0; i < 30; i++)
        {
            using RawClient client = await server.ConnectAsync();
            await client.SendAsync(ProxyHeaders.For(Client));
            Assert.False(await client.ReadByteAsync());
        }

        Assert.Single(server.Log.Warnings);
        time.Advance(TimeSpan.FromSeconds(2));
        using RawClient last = await server.ConnectAsync();
        await last.SendAsync(ProxyHeaders.For(Client));
        Assert.False(await last.ReadByteAsync());
        Assert.Contains("(29 more", server.Log.Warnings[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.1")]
    [InlineData("PROXY TCP5 a b 1 2")]
    public async Task Line_ThatIsWrong_IsRefused(string line)
    {
        await using TestServer server = await StartAsync(ProxyMode.Optional);
        await AssertRefusedAsync(server, "its PROXY header", ProxyHeaders.Line(line));
    }

    [Fact]
    public async Task Header_ThatSaysItIsLong_IsRefusedBeforeItHasCome()
    {
        await using TestServer server = await StartAsync(ProxyMode.Optional);
        await AssertRefusedAsync(
            server, $"{ProxyHeaderReader.MaxBytes} are the limit", ProxyHeaders.Bytes(ProxyHeaders.Proxy, ProxyHeaders.TcpOverIPv4, [], 65_535));
    }

    [Theory]
    [InlineData("P")]
    [InlineData("PROXY TCP4 192.0.2.1")]
    public async Task Header_ThatStalls_IsCutOff(string begin)
    {
        var time = new ManualTime();
        await using TestServer server = await StartAsync(ProxyMode.Optional, time: time);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Encoding.ASCII.GetBytes(begin));
        Task<bool> end = client.ReadByteAsync();
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(5));
            return end.IsCompleted;
        });
        Assert.False(await end);
        await Eventually.TrueAsync(() => server.Log.Warnings.Any(line =>
            line.Contains("took longer than 10 s", StringComparison.Ordinal) || line.Contains("first byte did not come", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Header_ThatEndsWithItsConnection_IsRefused()
    {
        await using TestServer server = await StartAsync(ProxyMode.Optional);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(ProxyHeaders.For(Client)[..20]);
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.False(await client.ReadByteAsync());
        Assert.Contains("ended within its PROXY header", Assert.Single(server.Log.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxy_ThatOnlyLooks_LeavesNoLine()
    {
        await using TestServer server = await StartAsync(ProxyMode.Required);
        using (RawClient bare = await server.ConnectAsync())
        {
            bare.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            Assert.False(await bare.ReadByteAsync());
        }

        using (RawClient local = await server.ConnectAsync())
        {
            await local.SendAsync(ProxyHeaders.Bytes(ProxyHeaders.Local, 0, []));
            local.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            Assert.False(await local.ReadByteAsync());
        }

        Assert.Empty(server.Log.Warnings);
    }

    [Theory]
    [InlineData("10.1.0.0/16", "10.1.255.255", true)]
    [InlineData("10.1.0.0/16", "10.2.0.0", false)]
    [InlineData("10.1.0.0/16", "::ffff:10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.4", false)]
    [InlineData("fd00::/8", "fd12::1", true)]
    [InlineData("fd00::/8", "fe80::1", false)]
    [InlineData("0.0.0.0/0", "203.0.113.9", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    public void Trusts_PeerOfNetwork(string source, string peer, bool trusted) =>
        Assert.Equal(trusted, ProxyOptions.From(ProxyMode.Optional, [source]).Trusts(new IPEndPoint(IPAddress.Parse(peer), 1)));

    [Theory]
    [InlineData("10.1.0.0/33")]
    [InlineData("10.1.0.0/")]
    [InlineData("loadbalancer")]
    [InlineData("")]
    public void Source_ThatIsNone_IsNotRead(string source) => Assert.False(ProxyOptions.TryParseSource(source, out _));
}
