using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using GrayMQ.Broker.Serving;

namespace GrayMQ.Broker.Http;

public class LifecyclePagesTests
{
    [Fact]
    public async Task Drain_ByPost_TakesReadinessAwayAndClosesConnections()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("httpPort", $"{FreePorts.Take()}"));
        using HttpClient http = broker.OpenHttp();
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
        using HttpClient http = broker.OpenHttp();

        using HttpResponseMessage refused = await http.PostAsync(path, null);

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal("ready\n", await http.GetStringAsync("/health/ready"));
    }

    [Fact]
    public async Task Drain_ByGet_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("httpPort", $"{FreePorts.Take()}"));
        using HttpClient http = broker.OpenHttp();

        using HttpResponseMessage refused = await http.GetAsync("/lifecycle/drain");

        Assert.Equal(HttpStatusCode.MethodNotAllowed, refused.StatusCode);
        Assert.Equal(["POST"], refused.Content.Headers.Allow);
    }

    [Fact]
    public async Task Drain_WithAToken_TakesTheTokenOnly()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("httpPort", $"{FreePorts.Take()}"), ("httpToken", "secret"));
        using HttpClient http = broker.OpenHttp();

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

    private static Task UntilAsync(HttpClient http, string state) => Eventually.TrueAsync(
        async () =>
        {
            using JsonDocument report = JsonDocument.Parse(await http.GetStringAsync("/lifecycle"));
            return report.RootElement.GetProperty("state").GetString() == state;
        },
        $"the broker is {state}");
}
