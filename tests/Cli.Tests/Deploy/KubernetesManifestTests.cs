using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Deploy;

/// <summary>deploy/kubernetes</summary>
public sealed class KubernetesManifestTests(KubernetesSchemas schemas) : IClassFixture<KubernetesSchemas>
{
    private static string[] Files => Directory.GetFiles(DeployFile.PathOf("kubernetes"));

    [Fact]
    public async Task Manifests_HeldAgainstTheSchemas_AreRight()
    {
        JsonArray manifests = await ReadAsync();
        Assert.Equal(
            [
                "ConfigMap graymq-broker", "ConfigMap graymq-namesrv", "PodDisruptionBudget graymq-broker", "PodDisruptionBudget graymq-namesrv",
                "Service graymq-broker", "Service graymq-grpc", "Service graymq-namesrv", "StatefulSet graymq-broker",
                "StatefulSet graymq-namesrv",
            ],
            manifests.Select(manifest => $"{manifest!["kind"]} {manifest["metadata"]!["name"]}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("preStop:", "preStopp:", "\"preStopp\"")]
    [InlineData("replicas: 3", "replicas: three", "replicas must be integer")]
    [InlineData("policy/v1", "policy/v3", "no PodDisruptionBudget in policy/v3")]
    public async Task Manifest_WithAnError_IsRefused(string written, string wrong, string expected)
    {
        using var folder = new TempFolder();
        string file = folder.PathOf("broker.yaml");
        await File.WriteAllTextAsync(file, await DeployFile.ReadAsync("kubernetes/broker.yaml", (written, wrong)));

        CommandResult validated = await schemas.ValidateAsync(file);

        Assert.Equal(1, validated.ExitCode);
        Assert.Contains(expected, validated.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GracePeriod_IsLongerThanADrain()
    {
        JsonNode pod = await FindPodAsync("graymq-broker");
        PrintedSettings settings = await PrintSettingsAsync("graymq-broker", pod);
        Assert.InRange((int)pod["terminationGracePeriodSeconds"]!, settings.LongestStop.TotalSeconds, int.MaxValue);
    }

    [Fact]
    public async Task Broker_WithItsConfigurationAndEnvironment_HasItsPodsNameAddressAndPorts()
    {
        JsonNode pod = await FindPodAsync("graymq-broker");
        PrintedSettings settings = await PrintSettingsAsync("graymq-broker", pod);

        Assert.Equal(("pods-metadata.name", "192.0.2.7"), (settings["brokerName"], settings["brokerIP1"]));
        Assert.Equal("/data", settings["storePathRootDir"]);
        int listenPort = settings.Number("listenPort");
        Assert.Equal(
            [
                ("remoting", listenPort), ("old-clients", listenPort - 2), ("grpc", settings.Number("grpcPort")),
                ("http", settings.Number("httpPort")),
            ],
            PortsOf(pod));
    }

    [Fact]
    public async Task NameServer_WithItsConfiguration_HasItsPodsPorts()
    {
        JsonNode pod = await FindPodAsync("graymq-namesrv");
        PrintedSettings settings = await PrintSettingsAsync("graymq-namesrv", pod);
        Assert.Equal([("namesrv", settings.Number("listenPort")), ("http", settings.Number("httpPort"))], PortsOf(pod));

        // What is left after 30 s is cut off.
        Assert.InRange((int)pod["terminationGracePeriodSeconds"]!, (settings.Number("drainMs") / 1000) + 30, int.MaxValue);
    }

    [Fact]
    public async Task PreStop_OnARunningBroker_DrainsIt()
    {
        JsonNode pod = await FindPodAsync("graymq-broker");
        string[] command = [.. pod["containers"]![0]!["lifecycle"]!["preStop"]!["exec"]!["command"]!.AsArray().Select(word => (string)word!)];
        Assert.Equal("graymq", command[0]);
        Assert.Contains("127.0.0.1:10911", command);
        using var folder = new TempFolder();
        await using RunningCommand server = await StandaloneServer.StartAsync(folder.PathOf("store"));
        string broker = StandaloneServer.ReadyLine().Match(server.Output.Text).Groups["broker"].Value;

        string[] arguments = [.. command.Skip(1).Select(word => word == "127.0.0.1:10911" ? broker : word), "--json"];
        Assert.Equal("drained", (string?)(await TestCommand.RunAsync(arguments)).ShouldSucceed().Json["state"]);
    }

    [Fact]
    public async Task Selectors_FindThePodsAndPortsByName()
    {
        JsonArray manifests = await ReadAsync();
        JsonNode[] pods = [.. OfKind("StatefulSet").Select(set => set["spec"]!["template"]!)];
        foreach (JsonNode service in OfKind("Service"))
        {
            JsonNode pod = Assert.Single(pods, pod => JsonNode.DeepEquals(pod["metadata"]!["labels"], service["spec"]!["selector"]));
            IEnumerable<string> names = pod["spec"]!["containers"]![0]!["ports"]!.AsArray().Select(port => (string)port!["name"]!);
            Assert.Subset(names.ToHashSet(), service["spec"]!["ports"]!.AsArray().Select(port => (string)port!["targetPort"]!).ToHashSet());
        }

        foreach (JsonNode of in OfKind("PodDisruptionBudget").Concat(OfKind("StatefulSet")))
        {
            Assert.Single(pods, pod => JsonNode.DeepEquals(pod["metadata"]!["labels"], of["spec"]!["selector"]!["matchLabels"]));
        }

        // A service of our own would be taken for a setting: grpcPort = tcp://...
        Assert.All(pods, pod => Assert.False((bool)pod["spec"]!["enableServiceLinks"]!));

        JsonNode[] OfKind(string kind) => [.. manifests.Where(manifest => (string?)manifest!["kind"] == kind).Select(manifest => manifest!)];
    }

    private async Task<JsonArray> ReadAsync() => (await schemas.ValidateAsync(Files)).ShouldSucceed().Json.AsArray();

    private async Task<JsonNode> FindAsync(string kind, string name) => (await ReadAsync()).Single(
        manifest => (string?)manifest!["kind"] == kind && (string?)manifest["metadata"]!["name"] == name)!;

    private async Task<JsonNode> FindPodAsync(string name) => (await FindAsync("StatefulSet", name))["spec"]!["template"]!["spec"]!;

    // What the container starts, with its configuration at a place of the test's own.
    private async Task<PrintedSettings> PrintSettingsAsync(string name, JsonNode pod)
    {
        using var folder = new TempFolder();
        foreach ((string file, JsonNode? text) in (await FindAsync("ConfigMap", name))["data"]!.AsObject())
        {
            await File.WriteAllTextAsync(folder.PathOf(file), (string?)text);
        }

        JsonNode container = Assert.Single(pod["containers"]!.AsArray())!;
        Dictionary<string, string> variables = container["env"]?.AsArray().ToDictionary(
            variable => (string)variable!["name"]!,
            variable => (string)variable!["valueFrom"]!["fieldRef"]!["fieldPath"]! == "status.podIP" ? "192.0.2.7" : "pods-metadata.name") ?? [];
        return await PrintedSettings.OfAsync(
            container["args"]!.AsArray().Select(word => ((string)word!).Replace("/etc/graymq", folder.Path, StringComparison.Ordinal)), variables);
    }

    private static (string, int)[] PortsOf(JsonNode pod) =>
        [.. pod["containers"]![0]!["ports"]!.AsArray().Select(port => ((string)port!["name"]!, (int)port["containerPort"]!))];
}
