using System.Globalization;
using System.Net;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Hosting.Http;
using GrayMQ.Protocol.Bodies;
using Microsoft.AspNetCore.Http;

namespace GrayMQ.Broker.Http;

/// <summary>
/// What the broker tells by HTTP. <c>/health/live</c> is 200 as long as the process answers; <c>/health/accepting</c> while clients that
/// come are served, for a load balancer before this broker alone; <c>/health/ready</c> while the broker is to be chosen;
/// <c>/lifecycle</c> says where it stands; <c>/metrics</c> is for Prometheus. <c>POST /lifecycle/drain</c> and <c>POST
/// /lifecycle/undrain</c> have it leave and stay. While the store is recovered there is little to tell.
/// </summary>
internal sealed class BrokerPages(BrokerLifecycle lifecycle, string clusterName, string brokerName, IPEndPoint address)
{
    private const string Json = "application/json; charset=utf-8";
    private const int MaxParallel = 1000;
    private const string Recovery = "the store to be recovered";

    private volatile Parts? _parts;

    public IReadOnlyDictionary<string, HttpRoute> ByPath => new Dictionary<string, HttpRoute>(StringComparer.Ordinal)
    {
        ["/health/live"] = HttpRoute.Get(static () => HttpPage.Text(StatusCodes.Status200OK, "live")),
        ["/health/accepting"] = HttpRoute.Get(Accepting),
        ["/health/ready"] = HttpRoute.Get(Ready),
        ["/lifecycle"] = HttpRoute.Get(() => Report(StatusCodes.Status200OK)),
        ["/lifecycle/drain"] = HttpRoute.Post(DrainAsync),
        ["/lifecycle/undrain"] = HttpRoute.Post(UndrainAsync),
        ["/metrics"] = HttpRoute.Get(() => new HttpPage(StatusCodes.Status200OK, PrometheusWriter.ContentType, Metrics().Written)),
    };

    /// <summary>The broker is whole: from now on there is everything to tell.</summary>
    public void Complete(MetricsPage metrics, LifecycleParts parts) => _parts = new Parts(metrics, parts);

    private HttpPage Accepting() => lifecycle.IsAccepting
        ? HttpPage.Text(StatusCodes.Status200OK, "accepting")
        : HttpPage.Text(StatusCodes.Status503ServiceUnavailable, $"not accepting: the broker is {Standing()}");

    private HttpPage Ready() => _parts is not { } parts
        ? HttpPage.Text(StatusCodes.Status503ServiceUnavailable, $"not ready: the broker is {Standing()}")
        : parts.Lifecycle.Reporter.NotReadyBecause is { } reason
            ? HttpPage.Text(StatusCodes.Status503ServiceUnavailable, $"not ready: {reason}")
            : HttpPage.Text(StatusCodes.Status200OK, "ready");

    private string Standing() => _parts is null
        ? $"{lifecycle.State.ToName()}: its port {address.Port} is closed until the store is recovered"
        : lifecycle.State.ToName();

    private PrometheusWriter Metrics()
    {
        if (_parts is { } parts)
        {
            return parts.Metrics.Write();
        }

        PrometheusWriter page = MetricsPage.Begin(clusterName, brokerName);
        MetricsPage.WriteState(page, lifecycle);
        return page;
    }

    private HttpPage Report(int status) => new(status, Json, BodyCodec.Encode(_parts?.Lifecycle.Reporter.Report() ?? new LifecycleReport
    {
        Broker = brokerName,
        Cluster = clusterName,
        State = lifecycle.State.ToName(),
        SinceMs = lifecycle.SinceMs,
        LastSendAgoMs = -1,
        WaitingFor = Recovery,
    }));

    // ?mode=restart (which it is without) or scaleIn, ?abandon=true, ?parallel=2
    private async ValueTask<HttpPage> DrainAsync(HttpRequest request)
    {
        string mode = request.Query["mode"].ToString();
        string parallel = request.Query["parallel"].ToString();
        int brokers = 1;
        if (mode is not ("" or "restart" or "scaleIn")
            || (parallel.Length > 0
                && !(int.TryParse(parallel, NumberStyles.None, CultureInfo.InvariantCulture, out brokers) && brokers is >= 1 and <= MaxParallel)))
        {
            return HttpPage.Text(
                StatusCodes.Status400BadRequest, $"expected mode=restart or mode=scaleIn, and parallel from 1 to {MaxParallel}");
        }

        var drain = new DrainRequest(
            PeerOf(request), mode == "scaleIn", request.Query["abandon"] == "true", brokers);
        return await ChangeAsync(departure => departure.AskAsync(drain)).ConfigureAwait(false);
    }

    private ValueTask<HttpPage> UndrainAsync(HttpRequest request) =>
        ChangeAsync(departure => departure.TakeBackAsync(PeerOf(request)));

    private async ValueTask<HttpPage> ChangeAsync(Func<Departure, Task> change)
    {
        if (_parts is not { } parts)
        {
            return HttpPage.Text(StatusCodes.Status409Conflict, $"the broker is {Standing()}");
        }

        try
        {
            await change(parts.Lifecycle.Departure).ConfigureAwait(false);
            return Report(StatusCodes.Status202Accepted);
        }
        catch (InvalidOperationException e)
        {
            return HttpPage.Text(StatusCodes.Status409Conflict, e.Message);
        }
    }

    private static string PeerOf(HttpRequest request) => $"HTTP from {request.HttpContext.Connection.RemoteIpAddress}";

    private sealed record Parts(MetricsPage Metrics, LifecycleParts Lifecycle);
}
