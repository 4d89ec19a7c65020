using GrayMQ.Store;
using Microsoft.AspNetCore.Http;

namespace GrayMQ.Broker.Http;

/// <summary>
/// What the broker tells by HTTP: <c>/health/live</c> is 200 as long as the process answers, <c>/health/ready</c> is 200
/// while clients are served and messages can be stored, <c>/metrics</c> is for Prometheus.
/// </summary>
internal sealed class BrokerPages(MetricsPage metrics, MessageStore store)
{
    private volatile bool _serving;

    /// <summary>Whether clients are served: set after the start, and taken back when the broker begins to stop.</summary>
    public bool IsServing
    {
        get => _serving;
        set => _serving = value;
    }

    public IReadOnlyDictionary<string, Func<HttpPage>> ByPath => new Dictionary<string, Func<HttpPage>>(StringComparer.Ordinal)
    {
        ["/health/live"] = static () => HttpPage.Text(StatusCodes.Status200OK, "live"),
        ["/health/ready"] = Ready,
        ["/metrics"] = () => new HttpPage(StatusCodes.Status200OK, PrometheusWriter.ContentType, metrics.Write().Written),
    };

    private HttpPage Ready() =>
        !_serving ? HttpPage.Text(StatusCodes.Status503ServiceUnavailable, "not ready: the broker does not serve clients")
        : !store.IsWritable ? HttpPage.Text(StatusCodes.Status503ServiceUnavailable, "not ready: the store takes no messages")
        : HttpPage.Text(StatusCodes.Status200OK, "ready");
}
