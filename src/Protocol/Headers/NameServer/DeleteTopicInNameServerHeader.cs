using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>Forgets a topic (RocketMQ: DeleteTopicFromNamesrvRequestHeader).</summary>
public sealed record DeleteTopicInNameServerHeader : ICommandHeader<DeleteTopicInNameServerHeader>
{
    public required string Topic { get; init; }

    /// <summary>Null or empty means all clusters.</summary>
    public string? ClusterName { get; init; }

    public static DeleteTopicInNameServerHeader Read(HeaderFields fields) => new()
    {
        Topic = fields.GetString("topic"u8),
        ClusterName = fields.FindString("clusterName"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
        writer.Write("clusterName"u8, ClusterName);
    }
}
