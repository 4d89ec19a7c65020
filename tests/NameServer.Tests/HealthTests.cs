using System.Net;
using System.Net.Sockets;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;

namespace GrayMQ.NameServer.Tests;

/// <summary>What a name server tells by HTTP, and how it leaves.</summary>
public class HealthTests
{
    [Fact]
    public async Task Http_NotAskedFor_IsOff()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        Assert.Null(server.HttpEndPoint);
    }

    [Fact]
    public async Task Health_OfANewNameServer_IsLiveAcceptingAndReady()
    {
        await using TestNameServer server = await TestNameServer.StartWithHttpAsync();
        using HttpClient http = Open(server);

        Assert.Equal("live\n", await http.GetStringAsync("/health/live"));
        Assert.Equal("accepting\n", await http.GetStringAsync("/health/accepting"));
        Assert.Equal("ready\n", await http.GetStringAsync("/health/ready"));
        using HttpResponseMessage posted = await http.PostAsync("/health/ready", null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, posted.StatusCode);
    }

    [Fact]
    public async Task Health_WhileThePortIsClosed_IsLiveAndNeitherAcceptingNorReady()
    {
        string folder = Directory.CreateTempSubdirectory("namesrv-test-").FullName;
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        NameServerHost host = TestNameServer.NewHostWithHttp(folder, new ManualTime(), $"listenPort={((IPEndPoint)taken.LocalEndpoint).Port}");
        await Assert.ThrowsAsync<IOException>(() => host.StartAsync());
        using var http = new HttpClient { BaseAddress = new Uri($"http://{host.HttpEndPoint}") };

        Assert.Equal((200, "live\n"), await GetAsync(http, "/health/live"));
        Assert.Equal((503, "not accepting: the port is closed\n"), await GetAsync(http, "/health/accepting"));
        Assert.Equal((503, "not ready: its port is closed yet\n"), await GetAsync(http, "/health/ready"));
        await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Ready_KnownBrokersHaveNotRegisteredAgain_NamesThem()
    {
        TestNameServer before = await TestNameServer.StartAsync();
        await before.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        await before.RegisterSuccessfullyAsync("b", TestNameServer.Topics("U", "TBW102"));
        await before.StopAsync();
        await using TestNameServer server = await TestNameServer.StartWithHttpInAsync(before.Folder);
        using HttpClient http = Open(server);

        Assert.Equal((503, "not ready: not registered again since its start: a, b\n"), await GetAsync(http, "/health/ready"));
        Assert.Equal((200, "accepting\n"), await GetAsync(http, "/health/accepting"));
        string[] lines = await LinesAsync(http);
        Assert.Contains("graymq_namesrv_missing_brokers{node_type=\"nameserver\"} 2", lines);
        Assert.Contains("graymq_namesrv_ready{node_type=\"nameserver\"} 0", lines);

        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        Assert.Equal((503, "not ready: not registered again since its start: b\n"), await GetAsync(http, "/health/ready"));
        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("U", "TBW102"));
        Assert.Equal((200, "ready\n"), await GetAsync(http, "/health/ready"));
    }

    [Fact]
    public async Task Ready_KnownBrokerDoesNotComeBack_IsReadyAfterTheTime()
    {
        TestNameServer before = await TestNameServer.StartAsync();
        await before.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        await before.StopAsync();
        await using TestNameServer server = await TestNameServer.StartWithHttpInAsync(before.Folder, "waitSecondsForService=20");
        using HttpClient http = Open(server);

        server.Time.Advance(TimeSpan.FromMilliseconds(19_999));
        Assert.Equal(503, (await GetAsync(http, "/health/ready")).Status);
        server.Time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(200, (await GetAsync(http, "/health/ready")).Status);
    }

    [Fact]
    public async Task Ready_NeedWaitForService_IsReadyWhenRoutesAreGivenOut()
    {
        await using TestNameServer server = await TestNameServer.StartWithHttpAsync("needWaitForService=true", "waitSecondsForService=20");
        using HttpClient http = Open(server);

        Assert.Equal(503, (await GetAsync(http, "/health/ready")).Status);
        server.Time.Advance(TimeSpan.FromSeconds(20));

        Assert.Equal(200, (await GetAsync(http, "/health/ready")).Status);
    }

    [Fact]
    public async Task Metrics_AfterRequests_CountThem()
    {
        await using TestNameServer server = await TestNameServer.StartWithHttpAsync();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        await server.RegisterSuccessfullyAsync("b", TestNameServer.Topics("T", "TBW102"));
        await server.FindRouteAsync("T");
        await server.FindRouteAsync("V");
        await server.FindRouteAsync("V");
        using HttpClient http = Open(server);

        string[] lines = await LinesAsync(http);

        const string Node = "node_type=\"nameserver\"";
        Assert.Contains($"graymq_namesrv_ready{{{Node}}} 1", lines);
        Assert.Contains($"graymq_namesrv_brokers{{{Node}}} 2", lines);
        Assert.Contains($"graymq_namesrv_missing_brokers{{{Node}}} 0", lines);
        Assert.Contains($"graymq_namesrv_topics{{{Node}}} 2", lines);
        Assert.Contains($"graymq_namesrv_connections{{{Node}}} 1", lines);
        Assert.Contains($"graymq_namesrv_requests_total{{{Node},request_code=\"RegisterBroker\"}} 2", lines);
        Assert.Contains($"graymq_namesrv_requests_total{{{Node},request_code=\"GetRouteInfoByTopic\"}} 3", lines);
        Assert.Contains($"graymq_namesrv_requests_total{{{Node},request_code=\"GetKVConfig\"}} 0", lines);
    }

    [Fact]
    public async Task Drain_WithHttp_ServesWhoeverComesAndIsNotReady()
    {
        await using TestNameServer server = await TestNameServer.StartWithHttpAsync();
        await server.RegisterSuccessfullyAsync("a", TestNameServer.Topics("T", "TBW102"));
        using HttpClient http = Open(server);

        Task drain = server.DrainAsync(CancellationToken.None);

        using HttpResponseMessage ready = await http.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.True(ready.Headers.ConnectionClose);
        Assert.Equal((200, "accepting\n"), await GetAsync(http, "/health/accepting"));
        Assert.NotNull(await server.FindRouteAsync("T"));
        await using RemotingClient late = TestNameServer.NewClient();
        await server.AskSuccessfullyAsync(RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader("T"), client: late);

        server.Time.Advance(TimeSpan.FromMilliseconds(4_999));
        Assert.False(drain.IsCompleted);
        server.Time.Advance(TimeSpan.FromMilliseconds(1));
        await drain;
    }

    [Fact]
    public async Task Drain_TimeIsSet_LastsThatLong()
    {
        await using TestNameServer server = await TestNameServer.StartAsync("drainMs=70");

        Task drain = server.DrainAsync(CancellationToken.None);

        server.Time.Advance(TimeSpan.FromMilliseconds(69));
        Assert.False(drain.IsCompleted);
        server.Time.Advance(TimeSpan.FromMilliseconds(1));
        await drain;
    }

    [Fact]
    public async Task Drain_InAHurry_EndsAtOnce()
    {
        await using TestNameServer server = await TestNameServer.StartWithHttpAsync();
        using var hurry = new CancellationTokenSource();

        Task drain = server.DrainAsync(hurry.Token);
        Assert.False(drain.IsCompleted);
        await hurry.CancelAsync();

        await drain;
    }

    [Fact]
    public async Task Drain_WithoutHttp_WaitsForNobody()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();

        Assert.True(server.DrainAsync(CancellationToken.None).IsCompletedSuccessfully);
    }

    private static HttpClient Open(TestNameServer server) => new() { BaseAddress = new Uri($"http://{server.HttpEndPoint}") };

    private static async Task<string[]> LinesAsync(HttpClient http) => (await http.GetStringAsync("/metrics")).Split('\n');

    private static async Task<(int Status, string Text)> GetAsync(HttpClient http, string path)
    {
        using HttpResponseMessage response = await http.GetAsync(path);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
