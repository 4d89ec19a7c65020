using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Servers;

public sealed class ServerStartTests
{
    [Fact]
    public async Task Standalone_SameStoreTwice_SecondSaysThatItIsInUse()
    {
        using var folder = new TempFolder();
        await using RunningCommand first = await StandaloneServer.StartAsync(folder.PathOf("store"));

        CommandResult second = await TestCommand.RunAsync(
            "standalone", "--store", folder.PathOf("store"), "--namesrv-port", "0", "--broker-port", $"{FreePorts.TakeForBroker()}", "--http-port", "0");

        second.ShouldFail(ExitCode.Failure, $"the store {folder.PathOf("store")} is in use by another process");
        Assert.DoesNotContain("istening", second.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NameServer_PortTaken_SaysWhichAndEndsWith1()
    {
        await using var first = new RunningCommand("namesrv", "--set", "listenPort=0", "--set", "bindAddress=127.0.0.1");
        string address = (await first.WaitForAsync("ready")).Split(' ')[^1].Trim();

        CommandResult second = await TestCommand.RunAsync(
            "namesrv", "--set", "listenPort=" + address.Split(':')[1], "--set", "bindAddress=127.0.0.1");

        second.ShouldFail(ExitCode.Failure, $"graymq: cannot listen on {address}");
    }

    [Fact]
    public async Task Standalone_StoreIsAFile_SaysSoAndEndsWith1()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.PathOf("store"), "");

        CommandResult result = await TestCommand.RunAsync(
            "standalone", "--store", folder.PathOf("store"), "--namesrv-port", "0", "--broker-port", $"{FreePorts.TakeForBroker()}", "--http-port", "0");

        result.ShouldFail(ExitCode.Failure, folder.PathOf("store"));
        Assert.DoesNotContain("should not happen", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Standalone_HttpPort_IsToldAndServes()
    {
        using var folder = new TempFolder();
        string line = "";
        await using RunningCommand server =
            await StandaloneServer.StartAsync(folder.PathOf("store"), ready => line = ready, "--http-port", $"{FreePorts.Take()}");
        string address = line.Split(", ").Single(part => part.StartsWith("HTTP ", StringComparison.Ordinal))["HTTP ".Length..];

        using var client = new HttpClient();

        Assert.Equal("ready", (await client.GetStringAsync(new Uri(address + "/health/ready"))).Trim());
    }

    [Fact]
    public async Task Broker_WithNameServer_RegistersAndLeaves()
    {
        using var folder = new TempFolder();
        await using var nameServer = new RunningCommand("namesrv", "--set", "listenPort=0", "--set", "bindAddress=127.0.0.1");
        string address = (await nameServer.WaitForAsync("ready")).Split(' ')[^1].Trim();
        await using (var broker = new RunningCommand(
            "broker", "-n", address, "--set", "brokerName=b1", "--set", "brokerIP1=127.0.0.1", "--set", "bindAddress=127.0.0.1",
            "--set", $"listenPort={FreePorts.TakeForBroker()}", "--set", "storePathRootDir=" + folder.PathOf("store"),
            "--set", "returnMs=0"))
        {
            await broker.WaitForAsync("GrayMQ is ready: broker 127.0.0.1:");

            CommandResult during = await TestCommand.RunAsync("cluster", "list", "--json", "-n", address);
            JsonNode listed = Assert.Single(during.ShouldSucceed().Json["brokers"]!.AsArray())!;
            Assert.Equal("b1", (string?)listed["broker"]);

            Assert.Equal(ExitCode.Success, await broker.StopAsync());
        }

        CommandResult after = await TestCommand.RunAsync("cluster", "list", "--json", "-n", address);
        Assert.Empty(after.ShouldSucceed().Json["brokers"]!.AsArray());
    }

    [Fact]
    public async Task Standalone_NameServersInTheEnvironment_RegistersWithItsOwn()
    {
        using var folder = new TempFolder();
        await using var other = new RunningCommand("namesrv", "--set", "listenPort=0", "--set", "bindAddress=127.0.0.1");
        string address = (await other.WaitForAsync("ready")).Split(' ')[^1].Trim();

        CommandResult printed = await TestCommand.RunAsync(
            ["standalone", "--print-config"], "", variables: new Dictionary<string, string> { ["NAMESRV_ADDR"] = address });

        string line = Assert.Single(printed.ShouldSucceed().Lines, line => line.StartsWith("namesrvAddr ", StringComparison.Ordinal));
        Assert.StartsWith("namesrvAddr = 127.0.0.1:9876 ", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broker_HostNameDoesNotResolve_NamesTheKey()
    {
        using var folder = new TempFolder();

        CommandResult result = await TestCommand.RunAsync(
            "broker", "--set", "brokerIP1=broker.invalid", "--set", "storePathRootDir=" + folder.PathOf("store"));

        result.ShouldFail(ExitCode.Failure, "brokerIP1=broker.invalid: the host name ");
        Assert.False(Directory.Exists(folder.PathOf("store")));
    }

    [Fact]
    public async Task Broker_HostName_IsRegisteredAsItsAddress()
    {
        using var folder = new TempFolder();
        await using var nameServer = new RunningCommand("namesrv", "--set", "listenPort=0", "--set", "bindAddress=127.0.0.1");
        string address = (await nameServer.WaitForAsync("ready")).Split(' ')[^1].Trim();
        await using var broker = new RunningCommand(
            "broker", "-n", address, "--set", "brokerIP1=localhost", "--set", "bindAddress=127.0.0.1",
            "--set", $"listenPort={FreePorts.TakeForBroker()}", "--set", "storePathRootDir=" + folder.PathOf("store"));
        await broker.WaitForAsync("GrayMQ is ready: broker 127.0.0.1:");

        CommandResult listed = await TestCommand.RunAsync("cluster", "list", "-n", address);

        Assert.Contains("127.0.0.1:", listed.ShouldSucceed().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NameServer_TlsEnforcedWithoutCertificate_WarnsOnce()
    {
        await using var server = new RunningCommand(
            "namesrv", "--set", "listenPort=0", "--set", "bindAddress=127.0.0.1", "--set", "tlsMode=enforcing");
        await server.WaitForAsync("ready");
        await server.StopAsync();

        Assert.Equal(1, server.Error.Text.Split("a self-signed one is used").Length - 1);
    }
}
