using System.Globalization;
using GrayMQ.Cli.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Cli.Tests.Deploy;

/// <summary>deploy/pipeline, run for real on a server.</summary>
public sealed class PipelineScriptTests : IAsyncLifetime
{
    // With what curl's configuration takes for something else.
    private const string Token = """se"cr\et""";

    private readonly TempFolder _folder = new();
    private RunningCommand? _server;
    private string _nameServer = "";
    private string _http = "";

    public async ValueTask InitializeAsync()
    {
        _server = await StandaloneServer.StartAsync(
            _folder.PathOf("store"), null, "--http-port", $"{FreePorts.Take()}", "--set", $"httpToken={Token}", "--set", "drainConsumersMs=0");
        System.Text.RegularExpressions.Match match = StandaloneServer.ReadyLine().Match(_server.Output.Text);
        _nameServer = match.Groups["namesrv"].Value;
        _http = _server.Output.Text.Split("HTTP ")[1].Split(',')[0];
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task OfflineThenOnline_BrokerLeavesAndStays()
    {
        CommandResult offline = (await RunAsync("offline.sh")).ShouldSucceed();
        Assert.Contains("may be stopped", offline.Error, StringComparison.Ordinal);
        Assert.Equal("drained", await StateAsync());

        CommandResult online = (await RunAsync("online.sh")).ShouldSucceed();
        Assert.Contains("ready", online.Error, StringComparison.Ordinal);
        Assert.Equal("serving", await StateAsync());
        (await RunAsync("online.sh", "--warm")).ShouldSucceed();
    }

    [Theory]
    [InlineData("idle", 0)]
    [InlineData("cold", 1)]
    public async Task OnlineWarm_NobodySends_IsDoneWhenTheBrokerIsIdle(string warmup, int exitCode)
    {
        await using WebApplication broker = await AnswerAsync(
            _ => (StatusCodes.Status200OK, $$"""{"state":"serving","ready":true,"writeShare":0,"warmup":"{{warmup}}"}"""));

        CommandResult online = await RunAsync("online.sh", ["--warm"], broker.Urls.Single(), timeoutSeconds: exitCode == 0 ? 60 : 1);

        Assert.True(online.ExitCode == exitCode, online.Error);
        Assert.Contains(exitCode == 0 ? "ready" : "time is up; it is serving", online.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OfflineForGood_SomebodyHadItStayAndLeaveForARestartMeanwhile_IsNotSaidToBeDone()
    {
        await using WebApplication broker = await AnswerAsync(request => HttpMethods.IsPost(request.Method)
            ? (StatusCodes.Status202Accepted, "")
            : (StatusCodes.Status200OK, """{"drain":"restart","state":"drained"}"""));

        CommandResult offline = await RunAsync("offline.sh", ["--scale-in"], broker.Urls.Single());

        offline.ShouldFail(1, "drained for a restart");
        Assert.DoesNotContain("may be stopped", offline.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Offline_TimeUp_SaysWhatItWaitsForAndGoesOnLeaving()
    {
        (await AskAsync("topic", "create", "T", "--queues", "1")).ShouldSucceed();
        (await AskAsync("group", "create", "G")).ShouldSucceed();
        (await AskAsync("message", "send", "T", "hello")).ShouldSucceed();
        (await AskAsync("offset", "reset", "G", "T", "--to-earliest")).ShouldSucceed();

        CommandResult offline = await RunAsync("offline.sh", ["--scale-in"], timeoutSeconds: 3);

        offline.ShouldFail(1, "waits for 1 messages for group G");
        Assert.Contains("time is up", offline.Error, StringComparison.Ordinal);
        Assert.Equal("draining", await StateAsync());
        (await RunAsync("online.sh")).ShouldSucceed();
        Assert.Equal("serving", await StateAsync());
    }

    [Fact]
    public async Task OfflineForGood_OfABrokerThatLeavesForARestart_IsNotSaidToBeDone()
    {
        (await RunAsync("offline.sh")).ShouldSucceed();

        CommandResult offline = await RunAsync("offline.sh", "--scale-in");

        offline.ShouldFail(1, "leaves already");
        Assert.DoesNotContain("may be stopped", offline.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Offline_WithoutTheToken_IsRefused()
    {
        (await RunAsync("offline.sh", token: "guessed")).ShouldFail(1, "Authorization");
        Assert.Equal("serving", await StateAsync());
    }

    [Fact]
    public async Task Scripts_BrokerIsNotThere_SaySo()
    {
        string closed = $"http://{FreePorts.ClosedAddress()}";
        (await RunAsync("offline.sh", http: closed)).ShouldFail(4, "does not answer");
        (await RunAsync("online.sh", http: closed, timeoutSeconds: 1)).ShouldFail(1, "time is up");
    }

    [Theory]
    [InlineData("offline.sh")]
    [InlineData("online.sh")]
    public async Task Scripts_UnknownOption_ShowTheirUsage(string script) =>
        (await RunAsync(script, ["--now"])).ShouldFail(2, $"usage: {script}");

    private Task<CommandResult> RunAsync(string script, params string[] arguments) => RunAsync(script, arguments, http: null);

    private Task<CommandResult> RunAsync(
        string script, string[]? arguments = null, string? http = null, string token = Token, int timeoutSeconds = 60) =>
        OutsideCommand.RunAsync(
            "sh",
            [DeployFile.PathOf($"pipeline/{script}"), .. arguments ?? []],
            new Dictionary<string, string?>
            {
                ["GRAYMQ_HTTP"] = http ?? _http,
                ["GRAYMQ_HTTP_TOKEN"] = token,
                ["GRAYMQ_TIMEOUT_S"] = timeoutSeconds.ToString(CultureInfo.InvariantCulture),
            });

    // What a broker would answer, of its state and to what changes it.
    private static async Task<WebApplication> AnswerAsync(Func<HttpRequest, (int Status, string Text)> answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication server = builder.Build();
        server.Run(context =>
        {
            (context.Response.StatusCode, string text) = answer(context.Request);
            return context.Response.WriteAsync(text);
        });
        await server.StartAsync();
        return server;
    }

    private Task<CommandResult> AskAsync(params string[] arguments) => TestCommand.RunAsync([.. arguments, "-n", _nameServer]);

    private async Task<string?> StateAsync()
    {
        using var client = new HttpClient();
        return (string?)System.Text.Json.Nodes.JsonNode.Parse(await client.GetStringAsync(new Uri($"{_http}/lifecycle")))!["state"];
    }
}
