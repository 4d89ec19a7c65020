using System.Globalization;
using System.Net;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Hosting.Http;
using GrayMQ.Protocol.Bodies;
using Microsoft.AspNetCore.Http;

namespace GrayMQ.Broker.Http;

/// <summary>
/// What the broker tells by HTTP: what every server does (<see cref="HealthPages"/>), of which <c>/health/accepting</c> is for a load balancer
/// before this broker alone; <c>/lifecycle</c> says where it stands. <c>POST /lifecycle/drain</c> and <c>POST
/// /lifecycle/undrain</c> have it leave and stay. While the store is recovered there is little to tell.
/// </summary>
internal sealed class BrokerPages(BrokerLifecycle lifecycle, string clusterName, string brokerName, IPEndPoint address)
{
    private const string Json = "application/json; charset=utf-8";
    private const int MaxParallel = 1000;
    private const string Recovery = "the store to be recovered";

    private volatile Parts? _parts;

    public IReadOnlyDictionary<string, HttpRoute> ByPath => new Dictionary<string, HttpRoute>(
        HealthPages.Of(WhyNotAccepting, WhyNotReady, Metrics), StringComparer.Ordinal)
    {
        ["/lifecycle"] = HttpRoute.Get(() => Report(StatusCodes.Status200OK)),
        ["/lifecycle/drain"] = HttpRoute.Post(DrainAsync),
        ["/lifecycle/undrain"] = HttpRoute.Post(UndrainAsync),
    };

    /// <summary>The broker is whole: from now on there is everything to tell.</summary>
    public void Complete(MetricsPage metrics, LifecycleParts parts) => _parts = new Parts(metrics, parts);

    private string? WhyNotAccepting() => lifecycle.IsAccepting ? null : $"the broker is {Standing()}";

    private string? WhyNotReady() => _parts is { } parts ? parts.Lifecycle.Reporter.NotReadyBecause : $"the broker is {Standing()}";

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
