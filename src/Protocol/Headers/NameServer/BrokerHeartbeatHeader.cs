using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>A broker is alive (RocketMQ: BrokerHeartbeatRequestHeader; what it says to a controller is left out).</summary>
public sealed record BrokerHeartbeatHeader : ICommandHeader<BrokerHeartbeatHeader>
{
    public required string ClusterName { get; init; }

    /// <summary><c>ip:port</c> that clients connect to.</summary>
    public required string BrokerAddress { get; init; }

    public required string BrokerName { get; init; }

    public static BrokerHeartbeatHeader Read(HeaderFields fields) => new()
    {
        ClusterName = fields.GetString("clusterName"u8),
        BrokerAddress = fields.GetString("brokerAddr"u8),
        BrokerName = fields.GetString("brokerName"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("clusterName"u8, ClusterName);
        writer.Write("brokerAddr"u8, BrokerAddress);
        writer.Write("brokerName"u8, BrokerName);
    }
}
