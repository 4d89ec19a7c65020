using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>Asks for the nodes under a broker name (RocketMQ: GetBrokerMemberGroupRequestHeader).</summary>
public sealed record GetBrokerMemberGroupHeader : ICommandHeader<GetBrokerMemberGroupHeader>
{
    public required string ClusterName { get; init; }

    public required string BrokerName { get; init; }

    public static GetBrokerMemberGroupHeader Read(HeaderFields fields) => new()
    {
        ClusterName = fields.GetString("clusterName"u8),
        BrokerName = fields.GetString("brokerName"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("clusterName"u8, ClusterName);
        writer.Write("brokerName"u8, BrokerName);
    }
}
