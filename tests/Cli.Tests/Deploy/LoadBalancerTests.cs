using System.Net;
using GrayMQ.Cli.Tests.Support;
using GrayMQ.Testing;

namespace GrayMQ.Cli.Tests.Deploy;

/// <summary>deploy/nginx, run for real before a server that refuses whoever comes without a header.</summary>
public sealed class LoadBalancerTests
{
    // All of 127.0.0.0/8 is this machine: the load balancer has the servers' ports at an address of its own.
    private const string Balancer = "127.0.0.2";

    [Fact]
    public async Task Nginx_BeforeNameServerAndBroker_ClientsAreServed()
    {
        using var folder = new TempFolder();
        await using RunningCommand server = await StartAsync(folder);
        (string nameServer, string broker) = PortsOf(server);
        string other = FreePorts.Any();
        string configuration = await DeployFile.ReadAsync(
            "nginx/nginx.conf",
            ("listen 9876", $"listen {Balancer}:{nameServer}"),
            ("10.0.1.1:9876", FreePorts.ClosedAddress()),
            ("10.0.1.2:9876", $"127.0.0.1:{nameServer}"),
            ("listen 10911", $"listen {Balancer}:{broker}"),
            ("10.0.1.11:10911", $"127.0.0.1:{broker}"),
            ("listen 10921", $"listen {Balancer}:{other}"),
            ("10.0.1.12:10921", FreePorts.ClosedAddress()));
        await using LoadBalancer nginx = await LoadBalancer.NginxAsync(
            configuration, IPEndPoint.Parse($"{Balancer}:{nameServer}"), IPEndPoint.Parse($"{Balancer}:{broker}"));

        await AssertServedAsync($"{Balancer}:{nameServer}");
    }

    private static Task<RunningCommand> StartAsync(TempFolder folder) => StandaloneServer.StartAsync(
        folder.PathOf("store"),
        null,
        "--set", $"brokerIP1={Balancer}",
        "--set", "broker.proxyProtocol=required",
        "--set", "namesrv.proxyProtocol=optional",
        "--set", "proxyProtocolSources=127.0.0.0/8");

    private static (string NameServer, string Broker) PortsOf(RunningCommand server)
    {
        System.Text.RegularExpressions.Match match = StandaloneServer.ReadyLine().Match(server.Output.Text);
        return (match.Groups["namesrv"].Value.Split(':')[1], match.Groups["broker"].Value.Split(':')[1]);
    }

    private static async Task AssertServedAsync(string nameServer)
    {
        CommandResult sent = await TestCommand.RunAsync("message", "send", "Balanced", "hello", "--json", "-n", nameServer);
        string id = (string)sent.ShouldSucceed().Json["messageId"]!;
        CommandResult pulled = await TestCommand.RunAsync("message", "pull", "Balanced", "--json", "-n", nameServer);
        Assert.Equal(id, (string?)Assert.Single(pulled.ShouldSucceed().Json["messages"]!.AsArray())!["messageId"]);
    }
}
