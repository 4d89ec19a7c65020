using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>RocketMQ: GetTopicsByClusterRequestHeader.</summary>
public sealed record GetTopicsByClusterHeader : ICommandHeader<GetTopicsByClusterHeader>
{
    public required string Cluster { get; init; }

    public static GetTopicsByClusterHeader Read(HeaderFields fields) => new()
    {
        Cluster = fields.GetString("cluster"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("cluster"u8, Cluster);
    }
}
