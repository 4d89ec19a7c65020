using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using GrayMQ.Broker.Serving;
using GrayMQ.Hosting.Http;
using Microsoft.AspNetCore.Http;

namespace GrayMQ.Broker.Http;

public class LifecyclePagesTests
{
    [Fact]
    public async Task Drain_ByPost_TakesReadinessAwayAndClosesConnections()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("httpPort", $"{FreePorts.Take()}"));
        using HttpClient http = Open(broker);
        using HttpResponseMessage before = await http.GetAsync("/health/ready");
        Assert.Equal((HttpStatusCode.OK, null), (before.StatusCode, before.Headers.ConnectionClose));

        using HttpResponseMessage drained = await http.PostAsync("/lifecycle/drain", null);
        Assert.Equal(HttpStatusCode.Accepted, drained.StatusCode);
        await UntilAsync(http, "drained");

        using HttpResponseMessage live = await http.GetAsync("/health/live");
        using HttpResponseMessage accepting = await http.GetAsync("/health/accepting");
        using HttpResponseMessage ready = await http.GetAsync("/health/ready");
        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable),
            (live.StatusCode, accepting.StatusCode, ready.StatusCode));
        Assert.Equal("not ready: the broker is drained\n", await ready.Content.ReadAsStringAsync());
        Assert.True(live.Headers.ConnectionClose);

        using HttpResponseMessage undrained = await http.PostAsync("/lifecycle/undrain", null);
        Assert.Equal(HttpStatusCode.Accepted, undrained.StatusCode);
        Assert.Equal("ready\n", await http.GetStringAsync("/health/ready"));
        Assert.Contains("state=\"serving\"} 1\n", await http.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/lifecycle/drain?mode=sideways")]
    [InlineData("/lifecycle/drain?parallel=0")]
    [InlineData("/lifecycle/drain?parallel=many")]
    public async Task Drain_WrongWords_IsRefused(string path)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("httpPort", $"{FreePorts.Take()}"));
        using HttpClient http = Open(broker);

        using HttpResponseMessage refused = await http.PostAsync(path, null);

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal("ready\n", await http.GetStringAsync("/health/ready"));
    }

    [Fact]
    public async Task Drain_ByGet_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("httpPort", $"{FreePorts.Take()}"));
        using HttpClient http = Open(broker);

        using HttpResponseMessage refused = await http.GetAsync("/lifecycle/drain");

        Assert.Equal(HttpStatusCode.MethodNotAllowed, refused.StatusCode);
        Assert.Equal(["POST"], refused.Content.Headers.Allow);
    }

    [Fact]
    public async Task Drain_WithAToken_TakesTheTokenOnly()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("httpPort", $"{FreePorts.Take()}"), ("httpToken", "secret"));
        using HttpClient http = Open(broker);

        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(null));
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync("guess"));
        Assert.Equal(HttpStatusCode.Accepted, await PostAsync("secret"));

        async Task<HttpStatusCode> PostAsync(string? token)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/lifecycle/drain");
            request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
            using HttpResponseMessage answer = await http.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Fact]
    public void Guard_FromABrowserOrFromAfar_RefusesWithoutAToken()
    {
        var request = new DefaultHttpContext().Request;
        Assert.Null(new PostGuard("", IPAddress.Loopback).Refuse(request));
        Assert.Equal(403, new PostGuard("", IPAddress.Any).Refuse(request)!.Value.Status);

        request.Headers.Origin = "http://somewhere.example";
        Assert.Equal(403, new PostGuard("", IPAddress.Loopback).Refuse(request)!.Value.Status);
    }

    private static HttpClient Open(RunningBroker broker) => new() { BaseAddress = new Uri($"http://{broker.Http}") };

    private static async Task UntilAsync(HttpClient http, string state)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (JsonDocument.Parse(await http.GetStringAsync("/lifecycle", limit.Token)).RootElement.GetProperty("state").GetString() != state)
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }
}
