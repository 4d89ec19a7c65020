using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>Makes a topic known at brokers named in the body (RocketMQ: RegisterTopicRequestHeader).</summary>
public sealed record RegisterTopicHeader : ICommandHeader<RegisterTopicHeader>
{
    public required string Topic { get; init; }

    public static RegisterTopicHeader Read(HeaderFields fields) => new()
    {
        Topic = fields.GetString("topic"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
    }
}
