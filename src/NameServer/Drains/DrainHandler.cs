using GrayMQ.NameServer.Routes;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Drains;

/// <summary>Brokers ask whether they may leave now, and say that they are back: LEASE_DRAIN (30200), RETURN_DRAIN (30201).</summary>
internal sealed class DrainHandler(DrainLeases leases, ILogger logger)
{
    // Nobody leaves for longer, and no more brokers of a cluster leave at a time.
    private const long MaxTimeMs = 24 * 60 * 60 * 1000;
    private const int MaxParallel = 1000;

    public ValueTask LeaseAsync(RemotingRequest request, LeaseDrainHeader header)
    {
        NameCheck.Require("broker name", header.BrokerName);
        BrokerIdentity node = NodeOf(header.ClusterName, header.BrokerAddress);
        bool granted = leases.TryTake(
            node,
            header.BrokerName,
            Math.Clamp(header.Parallel, 1, MaxParallel),
            TimeOf(header.LeaseMs),
            TimeOf(header.ReturnMs),
            out IReadOnlyList<string> others);
        Log.DrainLeased(logger, header.BrokerName, node, granted, string.Join(", ", others));
        request.Reply(new LeaseDrainResponseHeader { Granted = granted, Others = string.Join(';', others) });
        return ValueTask.CompletedTask;
    }

    public ValueTask ReturnAsync(RemotingRequest request, ReturnDrainHeader header)
    {
        BrokerIdentity node = NodeOf(header.ClusterName, header.BrokerAddress);
        if (leases.Return(node))
        {
            Log.DrainReturned(logger, node);
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    private static BrokerIdentity NodeOf(string cluster, string address) =>
        new(NameCheck.Require("cluster name", cluster), NameCheck.Require("broker address", address));

    private static TimeSpan TimeOf(long ms) => TimeSpan.FromMilliseconds(Math.Clamp(ms, 0, MaxTimeMs));
}
