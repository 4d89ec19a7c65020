using System.Net;
using GrayMQ.Cli.Tests.Support;

namespace GrayMQ.Cli.Tests.Servers;

public sealed class ChildProcessTests
{
    [Fact]
    public async Task Standalone_AsAProcess_PrintsOneLineStopsOnSignalsAndKeepsItsMessages()
    {
        using var folder = new TempFolder();
        string sent;
        await using (var first = new ChildProcess(Arguments(folder)))
        {
            string line = await first.WaitForAsync("\n");
            Assert.Matches(StandaloneServer.ReadyLine(), line);
            CommandResult send = await TestCommand.RunAsync("message", "send", "Kept", "hello", "--json", "-n", NameServer(line));
            sent = (string)send.ShouldSucceed().Json["messageId"]!;

            first.Signal("TERM");

            Assert.Equal(ExitCode.Success, await first.WaitForExitAsync());
            Assert.Equal(line, first.Output.Text);
        }

        await using var second = new ChildProcess(Arguments(folder));
        string again = await second.WaitForAsync("\n");
        CommandResult pull = await TestCommand.RunAsync("message", "pull", "Kept", "--json", "-n", NameServer(again));

        Assert.Equal(sent, (string?)Assert.Single(pull.ShouldSucceed().Json["messages"]!.AsArray())!["messageId"]);
        second.Signal("INT");
        Assert.Equal(ExitCode.Success, await second.WaitForExitAsync());
    }

    [Fact]
    public async Task NameServer_OnSigterm_IsNotReadyFirstAndServesThenExits()
    {
        using var folder = new TempFolder();
        string httpPort = $"{FreePorts.Take()}";
        await using var server = new ChildProcess(
            "namesrv", "--set", "bindAddress=127.0.0.1", "--set", "listenPort=0", "--set", $"httpPort={httpPort}", "--set", "drainMs=600000",
            "--set", $"kvConfigPath={folder.PathOf("kvConfig.json")}");
        string line = await server.WaitForAsync("\n");
        string address = $"http://127.0.0.1:{httpPort}";
        Assert.EndsWith($", HTTP {address}\n", line, StringComparison.Ordinal);
        string nameServer = line.Split("name server ")[1].Split(',')[0];
        using var http = new HttpClient { BaseAddress = new Uri(address) };
        Assert.Equal("ready\n", await http.GetStringAsync("/health/ready"));

        server.Signal("TERM");

        await Eventually.TrueAsync(
            async () => await StatusAsync(http, "/health/ready") == HttpStatusCode.ServiceUnavailable, "not ready any more after SIGTERM");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, "/health/accepting"));
        CommandResult answered = await TestCommand.RunAsync("topic", "list", "-n", nameServer);
        Assert.Contains($"no broker is registered with name server {nameServer}", answered.Error, StringComparison.Ordinal);

        server.Signal("QUIT");
        Assert.Equal(ExitCode.Success, await server.WaitForExitAsync());
    }

    [Fact]
    public async Task Start_PortTaken_OneLineOnStderrAndExitCode1()
    {
        using var folder = new TempFolder();
        await using RunningCommand first = await StandaloneServer.StartAsync(folder.PathOf("first"));
        string address = StandaloneServer.ReadyLine().Match(first.Output.Text).Groups["broker"].Value;

        await using var second = new ChildProcess(
            "standalone", "--store", folder.PathOf("second"), "--namesrv-port", "0", "--broker-port", address.Split(':')[1], "--http-port", "0",
            "--log-level", "error");

        Assert.Equal(ExitCode.Failure, await second.WaitForExitAsync());
        Assert.Equal("", second.Output.Text);
        string error = Assert.Single(second.Error.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(address, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tool_AsAProcess_EndsWithItsExitCode()
    {
        await using var command = new ChildProcess("topic", "list", "-n", FreePorts.ClosedAddress());

        Assert.Equal(ExitCode.Unreachable, await command.WaitForExitAsync());
        Assert.StartsWith("graymq: no name server answers at 127.0.0.1:", command.Error.Text, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, string path)
    {
        using HttpResponseMessage response = await http.GetAsync(path);
        return response.StatusCode;
    }

    private static string[] Arguments(TempFolder folder) =>
    [
        "standalone", "--store", folder.PathOf("store"), "--namesrv-port", "0", "--broker-port", $"{FreePorts.TakeForBroker()}", "--http-port", "0",
    ];

    private static string NameServer(string line) => StandaloneServer.ReadyLine().Match(line).Groups["namesrv"].Value;
}
