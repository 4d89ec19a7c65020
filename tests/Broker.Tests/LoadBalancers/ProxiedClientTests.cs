using System.Net;
using System.Text;
using GrayMQ.Broker.Grpc;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Settings;
using GrayMQ.Testing;

namespace GrayMQ.Broker.LoadBalancers;

/// <summary>Clients behind a load balancer: everywhere the broker shows their addresses, not the load balancer's.</summary>
public class ProxiedClientTests
{
    private const string Client = "127.0.0.7";

    private static Task<RunningBroker> StartAsync(string mode) =>
        RunningBroker.StartAsync(("proxyProtocol", mode), ("proxyProtocolSources", "127.0.0.1"));

    private static async Task AssertKnownAsAsync(RunningBroker broker, RawPeer client, IPEndPoint address)
    {
        RemotingCommand sent = await client.AskAsync(RequestCode.SendMessageV2, Sends.Header("Proxied"), "hello"u8.ToArray());
        Assert.True(sent.ResponseCode == ResponseCode.Success, $"{sent.ResponseCode} {sent.Remark}");
        byte[] heartbeat = Encoding.UTF8.GetBytes("""{"clientID":"p1","producerDataSet":[{"groupName":"P"}]}""");
        RemotingCommand heard = await client.AskAsync(RequestCode.Heartbeat, default(NoHeader), heartbeat);
        Assert.Equal(ResponseCode.Success, heard.ResponseCode);

        RemotingCommand list = await client.AskAsync(
            RequestCode.GetProducerConnectionList, new GetProducerConnectionListHeader { ProducerGroup = "P" });
        Assert.Equal(address.ToString(), Assert.Single(BodyCodec.Decode<ProducerConnection>(list.Body).ConnectionSet).ClientAddr);
        RemotingCommand pulled = await client.AskAsync(RequestCode.PullMessage, Pulls.Header("Proxied", 0, suspendMs: 10_000));
        ReceivedMessage message = Assert.Single(Pulls.Messages(pulled));
        Assert.Equal(address, new IPEndPoint(message.BornHost.ToAddress(), message.BornHost.Port));
    }

    [Fact]
    public async Task Header_OnTheWire_NamesTheClientEverywhere()
    {
        await using RunningBroker broker = await StartAsync("optional");
        byte[] header = Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.1 192.0.2.200 56324 10911\r\n");
        using RawPeer client = await RawPeer.ConnectAsync(broker.EndPoint, "127.0.0.1", header);
        await AssertKnownAsAsync(broker, client, IPEndPoint.Parse("192.0.2.1:56324"));
    }

    [Theory]
    [InlineData("send-proxy")]
    [InlineData("send-proxy-v2")]
    [InlineData("send-proxy-v2-ssl-cn")]
    [InlineData("send-proxy-v2 proxy-v2-options unique-id,crc32c")]
    public async Task HAProxy_InBetween_NamesTheClientEverywhere(string send)
    {
        await using RunningBroker broker = await StartAsync("required");
        int port = FreePorts.Take();
        await using LoadBalancer proxy = await LoadBalancer.HAProxyAsync(
            $"""
            defaults
              mode tcp
              timeout connect 30s
              timeout client 120s
              timeout server 120s
            frontend clients
              bind 127.0.0.1:{port}
              unique-id-format %Ts-%rt
              default_backend broker
            backend broker
              server broker {broker.EndPoint} {send}

            """,
            new IPEndPoint(IPAddress.Loopback, port));
        using RawPeer client = await RawPeer.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), Client);
        Assert.Equal(Client, client.Address.Address.ToString());
        await AssertKnownAsAsync(broker, client, client.Address);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Header_BeforeGrpc_NamesTheClient(bool tls)
    {
        string port = $"{FreePorts.Take()}";
        await using RunningBroker broker = await RunningBroker.StartAsync(
            ("proxyProtocol", "optional"), ("proxyProtocolSources", "127.0.0.1"), ("grpcPort", port));
        Peer remoting = broker.Connect("remoting");
        await remoting.CreateTopicAsync("Proxied", 1);
        byte[] header = Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.1 192.0.2.200 56324 8081\r\n");
        await using var client = new GrpcPeer(port, "proxied", tls: tls, before: header);

        await client.SendAsync("Proxied", "hello");

        ReceivedMessage message = await remoting.ReadAsync("Proxied", 0);
        Assert.Equal("192.0.2.1:56324", new IPEndPoint(message.BornHost.ToAddress(), message.BornHost.Port).ToString());
    }

    [Theory]
    [InlineData("off", true, "it begins with a PROXY header, and proxyProtocol is off")]
    [InlineData("required", false, "it begins without a PROXY header, and proxyProtocol is required")]
    public async Task Header_BeforeGrpcWhereItMayNotBeOrIsMissing_EndsTheConnection(string mode, bool sent, string reason)
    {
        string port = $"{FreePorts.Take()}";
        using var told = new ToldLog();
        await using RunningBroker broker = await RunningBroker.StartAsync(
            null, null, [("proxyProtocol", mode), ("proxyProtocolSources", "127.0.0.1"), ("grpcPort", port)], loggers: told);
        byte[] header = Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.1 192.0.2.200 56324 8081\r\n");
        await using var client = new GrpcPeer(port, "refused", before: sent ? header : null);

        await Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync("Proxied", "hello"));

        // HTTP/2 that begins with such a line fails wherever it is let in: what counts is who refuses it.
        Assert.Contains(told.Of("ProxyRefused"), line => line.Contains(reason, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "proxyProtocolSources to name")]
    [InlineData("10.0.0.0/8;balancer", "IP addresses, or networks")]
    public void Sources_ThatNameNobody_StopTheStart(string sources, string expected)
    {
        SettingsLoad load = BrokerSettings.Catalogue.Load(
            new SettingsSources().Set("proxyProtocol=optional").Set($"proxyProtocolSources={sources}"));
        Assert.Contains(load.Errors, error => error.ToString().Contains(expected, StringComparison.Ordinal));
    }
}
