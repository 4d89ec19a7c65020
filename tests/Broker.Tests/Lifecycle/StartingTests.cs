using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Lifecycle;

public class StartingTests
{
    [Fact]
    public async Task Http_WhileTheStoreIsRecovered_IsLiveAndNotReady()
    {
        string port = $"{FreePorts.Take()}";
        using var disk = new ScarceDisk();
        disk.HangOpens();
        Task<RunningBroker> starting = Task.Run(() => RunningBroker.StartAsync(disk, ("httpPort", port), ("listenPort", "10911")));
        using HttpClient http = Open(port);
        try
        {
            await UntilAnsweredAsync(http);

            Assert.Equal((HttpStatusCode.OK, "live\n"), await GetAsync(http, "/health/live"));
            (HttpStatusCode status, string reason) = await GetAsync(http, "/health/ready");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.Equal("not ready: the broker is recovering: its port 10911 is closed until the store is recovered\n", reason);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync(http, "/health/accepting")).Status);
            using JsonDocument report = JsonDocument.Parse((await GetAsync(http, "/lifecycle")).Text);
            Assert.Equal("recovering", report.RootElement.GetProperty("state").GetString());
            Assert.Equal("the store to be recovered", report.RootElement.GetProperty("waitingFor").GetString());
            Assert.Contains("state=\"recovering\"} 1\n", (await GetAsync(http, "/metrics")).Text, StringComparison.Ordinal);
            using HttpResponseMessage drained = await http.PostAsync("/lifecycle/drain", null);
            Assert.Equal(HttpStatusCode.Conflict, drained.StatusCode);
            Assert.False(starting.IsCompleted);
        }
        finally
        {
            disk.ResumeOpens();
        }

        await using RunningBroker broker = await starting;
        Assert.Equal((HttpStatusCode.OK, "ready\n"), await GetAsync(http, "/health/ready"));
    }

    [Fact]
    public async Task Probes_TenThousandOfThemDuringTheStart_CountForNothingAndLeaveNothing()
    {
        const int Probes = 10_000;
        const int Threads = 8;
        string port = $"{FreePorts.Take()}";
        await using TestNameServer nameServer = await TestNameServer.StartAsync();
        var time = new ManualTime();
        await using RunningBroker broker = await RunningBroker.StartAsync(null, time, [("namesrvAddr", nameServer.Address), ("httpPort", port)]);
        await broker.Connect("admin").CreateTopicAsync("T", 8);
        nameServer.Elsewhere["T"] = 6;
        await broker.StopAllAsync();
        Task starting = broker.StartAgainAsync([("registrationDelayMs", "60000")]);
        using HttpClient http = Open(port);
        await UntilAnsweredAsync(http);
        while (!(await GetAsync(http, "/lifecycle")).Text.Contains("registrationDelayMs", StringComparison.Ordinal))
        {
            // The ports are about to be opened.
            Assert.False(starting.IsCompleted);
        }

        await Parallel.ForAsync(0, Probes, new ParallelOptions { MaxDegreeOfParallelism = Threads }, async (probe, cancel) =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(broker.EndPoint, cancel);
            if (probe % 2 == 0)
            {
                // As some load balancers do, so that no connection waits for its end.
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }
        });
        string[] pages = ["/health/live", "/health/accepting", "/health/ready"];
        HttpStatusCode[] expected = [HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable];
        await Parallel.ForAsync(0, Probes, new ParallelOptions { MaxDegreeOfParallelism = Threads }, async (probe, _) =>
            Assert.Equal(expected[probe % pages.Length], (await GetAsync(http, pages[probe % pages.Length])).Status));
        Assert.False(starting.IsCompleted);
        Assert.Contains("registrationDelayMs", (await GetAsync(http, "/lifecycle")).Text, StringComparison.Ordinal);
        for (int second = 0; second < 60; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await GetAsync(http, "/health/live");
        }

        await starting;

        Peer admin = broker.Connect("admin");
        LifecycleReport report = await ShowAsync(admin);
        Assert.Equal((true, "cold", -1, 0), (report.Ready, report.Warmup, report.LastSendAgoMs, report.Senders));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(("cold", 0), ((await ShowAsync(admin)).Warmup, report.SendsPerSecond));
        while ((await ShowAsync(admin)).Connections > 1)
        {
            // Each answer takes its time; what has been closed is forgotten meanwhile.
        }

        string metrics = (await GetAsync(http, "/metrics")).Text;
        Assert.DoesNotContain("rocketmq_messages_in_total{", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("rocketmq_producer_connections{", metrics, StringComparison.Ordinal);
        Assert.Contains("graymq_warmup_state{node_type=\"broker\",cluster=\"TestCluster\",node_id=\"broker-a\",state=\"cold\"} 1\n", metrics, StringComparison.Ordinal);
    }

    private static Task<LifecycleReport> ShowAsync(Peer peer) => peer.AskAsync<NoHeader, LifecycleReport>(RequestCode.ShowLifecycle, default);

    private static HttpClient Open(string port) => new() { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(60) };

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(HttpClient http, string path)
    {
        using HttpResponseMessage answer = await http.GetAsync(path);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static Task UntilAnsweredAsync(HttpClient http) => Eventually.TrueAsync(
        async () =>
        {
            try
            {
                using HttpResponseMessage answer = await http.GetAsync("/health/live");
                return true;
            }
            catch (HttpRequestException)
            {
                return false; // not bound yet
            }
        },
        "the port is bound");
}
