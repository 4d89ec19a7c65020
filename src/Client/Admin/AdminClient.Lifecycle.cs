using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Client.Admin;

/// <content>How brokers leave and come. Only brokers of this project know these requests.</content>
public sealed partial class AdminClient
{
    /// <summary>Where a broker stands in its life, and what it waits for.</summary>
    public Task<LifecycleReport> GetLifecycleAsync(string address, CancellationToken cancel = default) =>
        CallAsync<NoHeader, LifecycleReport>(address, RequestCode.ShowLifecycle, default, cancel);

    /// <summary>Asks a broker to leave without loss; asked twice is asked once. The answer says where it stands now: it takes its time.</summary>
    public Task<LifecycleReport> DrainAsync(string address, DrainBrokerHeader how, CancellationToken cancel = default) =>
        CallAsync<DrainBrokerHeader, LifecycleReport>(address, RequestCode.DrainBroker, how, cancel);

    /// <summary>Asks a broker that leaves to stay.</summary>
    public Task<LifecycleReport> UndrainAsync(string address, CancellationToken cancel = default) =>
        CallAsync<NoHeader, LifecycleReport>(address, RequestCode.UndrainBroker, default, cancel);
}
