using System.Net;
using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Deploy;

/// <summary>
/// What the configurations of load balancers are made for: two name servers and two brokers as processes of their own, which tell clients the
/// load balancer's address. All of 127.0.0.0/8 is this machine: the load balancer has the servers' ports at an address of its own.
/// </summary>
internal sealed class BalancedCluster : IAsyncDisposable
{
    public const string Balancer = "127.0.0.2";

    private readonly TempFolder _folder = new();
    private readonly List<ChildProcess> _processes = [];
    private readonly Dictionary<string, (string Port, string GrpcPort, string HttpPort)> _ports = [];
    private readonly string[] _nameServerPorts = [$"{FreePorts.Take()}", $"{FreePorts.Take()}"];
    private readonly Dictionary<string, ChildProcess> _brokers = [];

    private BalancedCluster()
    {
    }

    /// <summary>Where clients find the name servers.</summary>
    public string NameServers { get; } = $"{Balancer}:{FreePorts.Take()}";

    /// <summary>Where the load balancer has to listen.</summary>
    public IReadOnlyList<IPEndPoint> Listening =>
    [
        IPEndPoint.Parse(NameServers),
        .. _ports.Values.SelectMany(ports => (string[])[ports.Port, ports.GrpcPort]).Select(port => IPEndPoint.Parse($"{Balancer}:{port}")),
    ];

    public IReadOnlyCollection<string> Brokers => _ports.Keys;

    public static async Task<BalancedCluster> StartAsync()
    {
        var cluster = new BalancedCluster();
        try
        {
            await cluster.StartAllAsync();
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        return cluster;
    }

    /// <summary>Where clients find a broker.</summary>
    public string AddressOf(string broker) => $"{Balancer}:{_ports[broker].Port}";

    /// <summary>Where clients of gRPC find a broker.</summary>
    public IPEndPoint GrpcAddressOf(string broker) => IPEndPoint.Parse($"{Balancer}:{_ports[broker].GrpcPort}");

    /// <summary>What has to be written instead of the addresses in a configuration.</summary>
    /// <param name="listens">How the configuration says that it listens at a port: <c>bind :9876</c>, <c>listen 9876;</c></param>
    public IEnumerable<(string Written, string Used)> Addresses(Func<string, string> listens)
    {
        yield return (listens("9876"), listens(NameServers));
        yield return ("10.0.1.1:9876", $"127.0.0.1:{_nameServerPorts[0]}");
        yield return ("10.0.1.2:9876", $"127.0.0.1:{_nameServerPorts[1]}");
        foreach ((string broker, string machine, string port, string grpcPort) in
            ((string, string, string, string)[])[("broker-a", "10.0.1.11", "10911", "8081"), ("broker-b", "10.0.1.12", "10921", "8091")])
        {
            yield return (listens(port), listens(AddressOf(broker)));
            yield return ($"{machine}:{port}", $"127.0.0.1:{_ports[broker].Port}");
            yield return (listens(grpcPort), listens($"{GrpcAddressOf(broker)}"));
            yield return ($"{machine}:{grpcPort}", $"127.0.0.1:{_ports[broker].GrpcPort}");
        }
    }

    public string HttpPortOf(string broker) => _ports[broker].HttpPort;

    /// <summary>Of the name servers, in the order of their addresses.</summary>
    public IReadOnlyList<string> NameServerHttpPorts { get; } = [$"{FreePorts.Take()}", $"{FreePorts.Take()}"];

    public async Task StartBrokerAsync(string name)
    {
        (string port, string grpcPort, string httpPort) = _ports[name];
        _brokers[name] = Start(
            "broker", "-n", string.Join(';', _nameServerPorts.Select(nameServer => $"127.0.0.1:{nameServer}")), "--set", $"brokerName={name}",
            "--set", "bindAddress=127.0.0.1", "--set", $"brokerIP1={Balancer}", "--set", $"listenPort={port}", "--set", $"grpcPort={grpcPort}",
            "--set", $"httpPort={httpPort}", "--set", "proxyProtocol=required", "--set", "proxyProtocolSources=127.0.0.0/8",
            "--set", $"storePathRootDir={_folder.PathOf(name)}", "--set", "mappedFileSizeCommitLog=1048576", "--set", "drainQuietMs=1000",
            "--set", "registrationDelayMs=3000");
        await _brokers[name].WaitForAsync("data in");
    }

    /// <summary>Ends a broker by SIGTERM.</summary>
    public async Task StopBrokerAsync(string name)
    {
        _brokers[name].Signal("TERM");
        Assert.Equal(0, await _brokers[name].WaitForExitAsync());
    }

    /// <summary>Runs a command as clients do, through the load balancer.</summary>
    public Task<CommandResult> RunAsync(params string[] arguments) => TestCommand.RunAsync([.. arguments, "-n", NameServers]);

    public async ValueTask DisposeAsync()
    {
        foreach (ChildProcess process in _processes)
        {
            await process.DisposeAsync();
        }

        _folder.Dispose();
    }

    private async Task StartAllAsync()
    {
        foreach ((string port, string httpPort) in _nameServerPorts.Zip(NameServerHttpPorts))
        {
            ChildProcess nameServer = Start(
                "namesrv", "--set", "bindAddress=127.0.0.1", "--set", $"listenPort={port}", "--set", $"httpPort={httpPort}",
                "--set", "proxyProtocol=optional",
                "--set", "proxyProtocolSources=127.0.0.0/8", "--set", $"kvConfigPath={_folder.PathOf(port)}.json");
            await nameServer.WaitForAsync("name server ");
        }

        foreach (string broker in (string[])["broker-a", "broker-b"])
        {
            _ports[broker] = ($"{FreePorts.TakeForBroker()}", $"{FreePorts.Take()}", $"{FreePorts.Take()}");
            await StartBrokerAsync(broker);
        }
    }

    private ChildProcess Start(params string[] arguments)
    {
        var process = new ChildProcess(arguments);
        _processes.Add(process);
        return process;
    }
}
