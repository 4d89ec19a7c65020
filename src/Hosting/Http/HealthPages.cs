using Microsoft.AspNetCore.Http;

namespace GrayMQ.Hosting.Http;

/// <summary>
/// The pages that every server has, in the same words. <c>/health/live</c> is 200 as long as the process answers; <c>/health/accepting</c>
/// while clients that come are served; <c>/health/ready</c> while the server is to be chosen. <c>/metrics</c> is for Prometheus.
/// </summary>
public static class HealthPages
{
    /// <param name="notAccepting">Why clients that come are not served; null while they are.</param>
    /// <param name="notReady">Why the server is not to be chosen; null while it is.</param>
    /// <param name="metrics">Everything that is measured, as it is now.</param>
    public static Dictionary<string, HttpRoute> Of(Func<string?> notAccepting, Func<string?> notReady, Func<PrometheusWriter> metrics) =>
        new(StringComparer.Ordinal)
        {
            ["/health/live"] = HttpRoute.Get(static () => HttpPage.Text(StatusCodes.Status200OK, "live")),
            ["/health/accepting"] = HttpRoute.Get(() => Unless(notAccepting(), "accepting")),
            ["/health/ready"] = HttpRoute.Get(() => Unless(notReady(), "ready")),
            ["/metrics"] = HttpRoute.Get(() => new HttpPage(StatusCodes.Status200OK, PrometheusWriter.ContentType, metrics().Written)),
        };

    private static HttpPage Unless(string? reason, string what) => reason is null
        ? HttpPage.Text(StatusCodes.Status200OK, what)
        : HttpPage.Text(StatusCodes.Status503ServiceUnavailable, $"not {what}: {reason}");
}
