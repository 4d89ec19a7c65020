using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>RocketMQ: WipeWritePermOfBrokerResponseHeader.</summary>
public sealed record WipeWritePermOfBrokerResponseHeader : ICommandHeader<WipeWritePermOfBrokerResponseHeader>
{
    /// <summary>Topics that were changed.</summary>
    public required int WipeTopicCount { get; init; }

    public static WipeWritePermOfBrokerResponseHeader Read(HeaderFields fields) => new()
    {
        WipeTopicCount = fields.GetInt32("wipeTopicCount"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("wipeTopicCount"u8, WipeTopicCount);
    }
}
