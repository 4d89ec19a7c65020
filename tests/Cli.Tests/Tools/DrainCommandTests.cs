using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Tools;

/// <summary>Two brokers and a name server, as processes of their own.</summary>
public sealed class DrainCommandTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<ChildProcess> _processes = [];
    private readonly Dictionary<string, ChildProcess> _brokers = [];
    private readonly Dictionary<string, string> _ports = [];
    private string _nameServer = "";

    public async ValueTask DisposeAsync()
    {
        foreach (ChildProcess process in _processes)
        {
            await process.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Drain_OneOfTwo_MovesTheWritesAndItsRouteOutlivesIt()
    {
        await StartAsync("one", "two");
        (await RunAsync("topic", "create", "T", "--queues", "2")).ShouldSucceed();

        JsonNode drained = (await RunAsync("drain", "one", "--wait", "--json")).ShouldSucceed().Json;
        Assert.Equal(("drained", "restart"), ((string?)drained["state"], (string?)drained["drain"]));
        Assert.Equal([("one", "R--"), ("two", "RW-")], await RouteAsync());

        // The other one may not leave before this one is back.
        Assert.Equal("draining", (string?)(await RunAsync("drain", "two", "--json")).ShouldSucceed().Json["state"]);
        Assert.Equal([("one", "R--"), ("two", "RW-")], await RouteAsync());
        (await RunAsync("undrain", "two")).ShouldSucceed();

        _brokers["one"].Signal("TERM");
        Assert.Equal(0, await _brokers["one"].WaitForExitAsync());
        Assert.Equal([("one", "R--"), ("two", "RW-")], await RouteAsync());

        await StartBrokerAsync("one");
        Assert.Equal([("one", "RW-"), ("two", "RW-")], await RouteAsync());
        (await RunAsync("drain", "two", "--watch")).ShouldSucceed();
    }

    [Fact]
    public async Task Drain_ScaleIn_LeavesTheRoutes()
    {
        await StartAsync("one", "two");
        (await RunAsync("topic", "create", "T", "--queues", "2")).ShouldSucceed();

        (await RunAsync("drain", "one", "--scale-in", "--wait")).ShouldSucceed();

        Assert.Equal([("two", "RW-")], await RouteAsync());
        (await RunAsync("undrain", $"127.0.0.1:{_ports["one"]}")).ShouldSucceed();
        Assert.Equal([("one", "RW-"), ("two", "RW-")], await RouteAsync());
    }

    [Fact]
    public async Task Drain_OfAmbiguousOrUnknownBroker_SaysSo()
    {
        await StartAsync("one", "two");

        CommandResult ambiguous = await RunAsync("drain");
        CommandResult unknown = await RunAsync("drain", "three");
        CommandResult abandon = await RunAsync("drain", "one", "--abandon");

        Assert.Equal((ExitCode.Usage, ExitCode.NotFound, ExitCode.Usage), (ambiguous.ExitCode, unknown.ExitCode, abandon.ExitCode));
        Assert.Contains("one, two", ambiguous.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RollingRestart_CommandFails_StopsThereAndGoesOnThereTheNextTime()
    {
        await StartAsync("one", "two");
        (await RunAsync("topic", "create", "T", "--queues", "2")).ShouldSucceed();
        string script = _folder.PathOf("restart.sh");
        string log = _folder.PathOf("restarted");
        await File.WriteAllTextAsync(
            script,
            $"""
            [ "$GRAYMQ_BROKER" = two ] && [ ! -e '{_folder.PathOf("mended")}' ] && exit 7
            echo "$GRAYMQ_BROKER $GRAYMQ_CLUSTER" >> '{log}'
            '{Path.Combine(AppContext.BaseDirectory, "graymq")}' undrain "$GRAYMQ_BROKER_ADDRESS"
            """,
            TestContext.Current.CancellationToken);
        string[] restart =
        [
            "rolling-restart", "--cluster", "DefaultCluster", "--command", $"sh '{script}'", "--state", _folder.PathOf("state.json"),
        ];

        CommandResult stopped = await RunAsync(restart);

        Assert.Equal(ExitCode.Failure, stopped.ExitCode);
        Assert.Contains("broker two: the command ended with 7", stopped.Error, StringComparison.Ordinal);
        Assert.Equal(["one DefaultCluster"], await File.ReadAllLinesAsync(log, TestContext.Current.CancellationToken));
        Assert.Equal([("one", "RW-"), ("two", "R--")], await RouteAsync());

        await File.WriteAllTextAsync(_folder.PathOf("mended"), "", TestContext.Current.CancellationToken);
        CommandResult finished = (await RunAsync([.. restart, "--json"])).ShouldSucceed();

        Assert.Equal(
            ["one DefaultCluster", "two DefaultCluster"], await File.ReadAllLinesAsync(log, TestContext.Current.CancellationToken));
        Assert.Equal(["one", "two"], finished.Json["brokers"]!.AsArray().Select(broker => (string?)broker));
        Assert.Equal([("one", "RW-"), ("two", "RW-")], await RouteAsync());
        Assert.False(File.Exists(_folder.PathOf("state.json")));
    }

    [Fact]
    public async Task RollingRestart_RecordOfAnother_IsRefused()
    {
        await StartAsync("one");
        string state = _folder.PathOf("state.json");
        await File.WriteAllTextAsync(
            state, """{"cluster":"DefaultCluster","command":"another","done":[]}""", TestContext.Current.CancellationToken);

        CommandResult refused = await RunAsync(
            "rolling-restart", "--cluster", "DefaultCluster", "--command", "true", "--state", state);

        Assert.Equal(ExitCode.Failure, refused.ExitCode);
        Assert.Contains("another", refused.Error, StringComparison.Ordinal);
        Assert.Equal("serving", (string?)(await RunAsync("undrain", "one", "--json")).ShouldSucceed().Json["state"]);
    }

    private async Task StartAsync(params string[] brokers)
    {
        ChildProcess nameServer = Start(
            "namesrv", "--set", "bindAddress=127.0.0.1", "--set", "listenPort=0", "--set", $"kvConfigPath={_folder.PathOf("kv.json")}");
        string line = await nameServer.WaitForAsync("name server ");
        _nameServer = line.Split("name server ")[1].Trim();
        foreach (string broker in brokers)
        {
            _ports[broker] = $"{FreePorts.TakeForBroker()}";
            await StartBrokerAsync(broker);
        }
    }

    private async Task StartBrokerAsync(string name)
    {
        ChildProcess broker = Start(
            "broker", "-n", _nameServer, "--set", $"brokerName={name}", "--set", "bindAddress=127.0.0.1", "--set", "brokerIP1=127.0.0.1",
            "--set", $"listenPort={_ports[name]}", "--set", $"storePathRootDir={_folder.PathOf(name)}", "--set", "mappedFileSizeCommitLog=1048576");
        _brokers[name] = broker;
        await broker.WaitForAsync("data in");
    }

    private ChildProcess Start(params string[] arguments)
    {
        var process = new ChildProcess(arguments);
        _processes.Add(process);
        return process;
    }

    private Task<CommandResult> RunAsync(params string[] arguments) => TestCommand.RunAsync([.. arguments, "-n", _nameServer]);

    private async Task<(string?, string?)[]> RouteAsync()
    {
        JsonNode route = (await RunAsync("topic", "route", "T", "--json")).ShouldSucceed().Json;
        return [.. route["brokers"]!.AsArray().Select(broker => ((string?)broker!["broker"], (string?)broker["permission"]))];
    }
}
