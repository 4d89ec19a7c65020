using GrayMQ.Hosting.Http;
using GrayMQ.NameServer.Lifecycle;
using GrayMQ.NameServer.Returns;
using GrayMQ.NameServer.Routes;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Servers;

namespace GrayMQ.NameServer.Http;

/// <summary>The name server's figures for Prometheus. RocketMQ's name server has none.</summary>
internal sealed class NameServerMetrics(
    NameServerLifecycle lifecycle, RouteTable routes, KnownBrokers known, RemotingServer server, CountedRequests requests)
{
    public PrometheusWriter Write()
    {
        var page = new PrometheusWriter(("node_type", "nameserver"));
        page.Gauge("graymq_namesrv_ready", "1 while the name server is to be chosen").Sample(lifecycle.NotReadyBecause is null ? 1 : 0);
        page.Gauge("graymq_namesrv_brokers", "Registered brokers, slaves included").Sample(routes.NodeCount);
        page.Gauge("graymq_namesrv_missing_brokers", "Names of brokers that are waited for since the start")
            .Sample(known.IsWaiting ? known.Missing.Count : 0);
        page.Gauge("graymq_namesrv_topics", "Topics that have a route").Sample(routes.TopicCount);
        page.Gauge("graymq_namesrv_connections", "Open connections of brokers and clients").Sample(server.ConnectionCount);
        page.Counter("graymq_namesrv_requests_total", "Requests that were handled");
        foreach ((RequestCode code, long count) in requests.Counts)
        {
            page.Sample(count, ("request_code", code.ToString()));
        }

        ProcessMetrics.Write(page);
        return page;
    }
}
