using System.Globalization;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Protocol.Bodies;
using Microsoft.AspNetCore.Http;

namespace GrayMQ.Broker.Http;

/// <summary>
/// What the broker tells by HTTP. <c>/health/live</c> is 200 as long as the process answers; <c>/health/accepting</c> while clients that
/// come are served, for a load balancer before this broker alone; <c>/health/ready</c> while the broker is to be chosen;
/// <c>/lifecycle</c> says where it stands; <c>/metrics</c> is for Prometheus. <c>POST /lifecycle/drain</c> and <c>POST
/// /lifecycle/undrain</c> have it leave and stay.
/// </summary>
internal sealed class BrokerPages(MetricsPage metrics, LifecycleParts lifecycle)
{
    private const string Json = "application/json; charset=utf-8";
    private const int MaxParallel = 1000;

    public IReadOnlyDictionary<string, HttpRoute> ByPath => new Dictionary<string, HttpRoute>(StringComparer.Ordinal)
    {
        ["/health/live"] = HttpRoute.Get(static () => HttpPage.Text(StatusCodes.Status200OK, "live")),
        ["/health/accepting"] = HttpRoute.Get(Accepting),
        ["/health/ready"] = HttpRoute.Get(Ready),
        ["/lifecycle"] = HttpRoute.Get(() => Report(StatusCodes.Status200OK)),
        ["/lifecycle/drain"] = HttpRoute.Post(DrainAsync),
        ["/lifecycle/undrain"] = HttpRoute.Post(UndrainAsync),
        ["/metrics"] = HttpRoute.Get(
            () => new HttpPage(StatusCodes.Status200OK, PrometheusWriter.ContentType, metrics.Write().Written)),
    };

    private HttpPage Accepting() => lifecycle.State.IsAccepting
        ? HttpPage.Text(StatusCodes.Status200OK, "accepting")
        : HttpPage.Text(StatusCodes.Status503ServiceUnavailable, $"not accepting: the broker is {lifecycle.State.State.ToName()}");

    private HttpPage Ready() => lifecycle.Reporter.NotReadyBecause is { } reason
        ? HttpPage.Text(StatusCodes.Status503ServiceUnavailable, $"not ready: {reason}")
        : HttpPage.Text(StatusCodes.Status200OK, "ready");

    private HttpPage Report(int status) => new(status, Json, BodyCodec.Encode(lifecycle.Reporter.Report()));

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
        return await ChangeAsync(() => lifecycle.Departure.AskAsync(drain)).ConfigureAwait(false);
    }

    private ValueTask<HttpPage> UndrainAsync(HttpRequest request) =>
        ChangeAsync(() => lifecycle.Departure.TakeBackAsync(PeerOf(request)));

    private async ValueTask<HttpPage> ChangeAsync(Func<Task> change)
    {
        try
        {
            await change().ConfigureAwait(false);
            return Report(StatusCodes.Status202Accepted);
        }
        catch (InvalidOperationException e)
        {
            return HttpPage.Text(StatusCodes.Status409Conflict, e.Message);
        }
    }

    private static string PeerOf(HttpRequest request) => $"HTTP from {request.HttpContext.Connection.RemoteIpAddress}";
}
