using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Asks a broker which clients and queues are on which side: GET_BROKER_GRAY_STATUS (30120), which RocketMQ does not have.</summary>
public sealed record GetBrokerGrayStatusHeader : ICommandHeader<GetBrokerGrayStatusHeader>
{
    /// <summary>Only this group; null for all that have a release.</summary>
    public string? Group { get; init; }

    /// <summary>Only queues of this topic; null for all.</summary>
    public string? Topic { get; init; }

    public static GetBrokerGrayStatusHeader Read(HeaderFields fields) => new()
    {
        Group = fields.FindString("group"u8),
        Topic = fields.FindString("topic"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("group"u8, Group);
        writer.Write("topic"u8, Topic);
    }
}
