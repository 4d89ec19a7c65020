using System.Net.Sockets;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.NameServer.Tests;

public sealed class ProxyProtocolTests
{
    [Fact]
    public async Task Required_ServesWhoComesWithAHeader()
    {
        await using TestNameServer server = await TestNameServer.StartAsync("proxyProtocol=required", "proxyProtocolSources=127.0.0.0/8;::1");
        using Socket socket = await RawRequest.ConnectAsync(server.Port);
        await socket.SendAsync("PROXY TCP4 192.0.2.1 192.0.2.200 56324 9876\r\n"u8.ToArray());

        RemotingCommand answer = await RawRequest.AskAsync(socket, RequestCode.GetBrokerClusterInfo, 477, [], []);

        Assert.Equal(ResponseCode.Success, answer.ResponseCode);
    }

    [Theory]
    [InlineData("", "proxyProtocolSources to name")]
    [InlineData("10.0.0.0/8;balancer", "IP addresses, or networks")]
    public void Sources_ThatNameNobody_StopTheStart(string sources, string expected)
    {
        Settings.SettingsLoad load = NameServerSettings.Catalogue().Load(
            new Settings.SettingsSources().Set("proxyProtocol=required").Set($"proxyProtocolSources={sources}"));
        Assert.Contains(load.Errors, error => error.ToString().Contains(expected, StringComparison.Ordinal));
    }
}
