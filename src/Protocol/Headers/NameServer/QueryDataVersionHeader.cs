using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>Asks whether the name server has the broker's topics in the version of the body (RocketMQ: QueryDataVersionRequestHeader).</summary>
public sealed record QueryDataVersionHeader : ICommandHeader<QueryDataVersionHeader>
{
    public required string BrokerName { get; init; }

    /// <summary><c>ip:port</c> that clients connect to.</summary>
    public required string BrokerAddress { get; init; }

    public required string ClusterName { get; init; }

    /// <summary>0 is the master.</summary>
    public required long BrokerId { get; init; }

    public static QueryDataVersionHeader Read(HeaderFields fields) => new()
    {
        BrokerName = fields.GetString("brokerName"u8),
        BrokerAddress = fields.GetString("brokerAddr"u8),
        ClusterName = fields.GetString("clusterName"u8),
        BrokerId = fields.GetInt64("brokerId"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("brokerName"u8, BrokerName);
        writer.Write("brokerAddr"u8, BrokerAddress);
        writer.Write("clusterName"u8, ClusterName);
        writer.Write("brokerId"u8, BrokerId);
    }
}
