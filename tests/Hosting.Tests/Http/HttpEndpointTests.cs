using System.Net;
using GrayMQ.Hosting.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Hosting.Tests.Http;

public class HttpEndpointTests
{
    [Fact]
    public async Task Pages_WrongPathOrMethod_AreRefused()
    {
        await using var endpoint = new HttpEndpoint(
            new IPEndPoint(IPAddress.Loopback, 0),
            new Dictionary<string, HttpRoute>
            {
                ["/page"] = HttpRoute.Get(() => HttpPage.Text(418, "tea")),
                ["/broken"] = HttpRoute.Get(() => throw new InvalidOperationException("broken")),
            },
            new PostGuard("", IPAddress.Loopback),
            () => false,
            NullLoggerFactory.Instance);
        await endpoint.StartAsync(CancellationToken.None);
        using var http = new HttpClient { BaseAddress = new Uri($"http://{endpoint.EndPoint}") };

        using HttpResponseMessage page = await http.GetAsync("/page?query=1");
        Assert.Equal(418, (int)page.StatusCode);
        Assert.Equal("tea\n", await page.Content.ReadAsStringAsync());
        using HttpResponseMessage head = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/page"));
        Assert.Equal((418, 4), ((int)head.StatusCode, (int)head.Content.Headers.ContentLength!));
        using HttpResponseMessage none = await http.GetAsync("/none");
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        using HttpResponseMessage deleted = await http.DeleteAsync("/page");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, deleted.StatusCode);
        using HttpResponseMessage broken = await http.GetAsync("/broken");
        Assert.Equal(HttpStatusCode.InternalServerError, broken.StatusCode);
        await endpoint.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Start_PortInUse_SaysSo()
    {
        await using HttpEndpoint first = At(new IPEndPoint(IPAddress.Loopback, 0));
        await first.StartAsync(CancellationToken.None);
        await using HttpEndpoint second = At(first.EndPoint);

        IOException refused = await Assert.ThrowsAsync<IOException>(() => second.StartAsync(CancellationToken.None));

        Assert.Contains(first.EndPoint.ToString(), refused.Message, StringComparison.Ordinal);

        static HttpEndpoint At(IPEndPoint address) => new(
            address, new Dictionary<string, HttpRoute>(), new PostGuard("", IPAddress.Loopback), () => false, NullLoggerFactory.Instance);
    }
}
