using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>RocketMQ: AddWritePermOfBrokerResponseHeader.</summary>
public sealed record AddWritePermOfBrokerResponseHeader : ICommandHeader<AddWritePermOfBrokerResponseHeader>
{
    /// <summary>Topics that were changed.</summary>
    public required int AddTopicCount { get; init; }

    public static AddWritePermOfBrokerResponseHeader Read(HeaderFields fields) => new()
    {
        AddTopicCount = fields.GetInt32("addTopicCount"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("addTopicCount"u8, AddTopicCount);
    }
}
