using GrayMQ.Hosting.Http;
using GrayMQ.NameServer.Lifecycle;
using Microsoft.AspNetCore.Http;

namespace GrayMQ.NameServer.Http;

/// <summary>
/// What the name server tells by HTTP, in the broker's words. <c>/health/live</c> is 200 as long as the process answers;
/// <c>/health/accepting</c> while clients that come are served; <c>/health/ready</c> while the server is to be chosen: not before the brokers
/// that it knows have registered again, and not once it is to stop. <c>/metrics</c> is for Prometheus. Nothing can be changed.
/// </summary>
internal sealed class NameServerPages(NameServerLifecycle lifecycle, NameServerMetrics metrics)
{
    public IReadOnlyDictionary<string, HttpRoute> ByPath => new Dictionary<string, HttpRoute>(StringComparer.Ordinal)
    {
        ["/health/live"] = HttpRoute.Get(static () => HttpPage.Text(StatusCodes.Status200OK, "live")),
        ["/health/accepting"] = HttpRoute.Get(Accepting),
        ["/health/ready"] = HttpRoute.Get(Ready),
        ["/metrics"] = HttpRoute.Get(() => new HttpPage(StatusCodes.Status200OK, PrometheusWriter.ContentType, metrics.Write().Written)),
    };

    private HttpPage Accepting() => lifecycle.IsAccepting
        ? HttpPage.Text(StatusCodes.Status200OK, "accepting")
        : HttpPage.Text(StatusCodes.Status503ServiceUnavailable, "not accepting: the port is closed");

    private HttpPage Ready() => lifecycle.NotReadyBecause is { } reason
        ? HttpPage.Text(StatusCodes.Status503ServiceUnavailable, $"not ready: {reason}")
        : HttpPage.Text(StatusCodes.Status200OK, "ready");
}
