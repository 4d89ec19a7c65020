using GrayMQ.Hosting.Http;
using GrayMQ.NameServer.Lifecycle;

namespace GrayMQ.NameServer.Http;

/// <summary>
/// What the name server tells by HTTP, in the broker's words (<see cref="HealthPages"/>). It is not ready before the brokers that it knows have
/// registered again, and not once it is to stop. Nothing can be changed.
/// </summary>
internal sealed class NameServerPages(NameServerLifecycle lifecycle, NameServerMetrics metrics)
{
    public IReadOnlyDictionary<string, HttpRoute> ByPath => HealthPages.Of(
        notAccepting: () => lifecycle.IsAccepting ? null : "the port is closed",
        notReady: () => lifecycle.NotReadyBecause,
        metrics.Write);
}
