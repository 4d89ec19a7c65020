using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>Names a broker (RocketMQ: WipeWritePermOfBrokerRequestHeader, AddWritePermOfBrokerRequestHeader).</summary>
public sealed record BrokerNameHeader : ICommandHeader<BrokerNameHeader>
{
    public required string BrokerName { get; init; }

    public static BrokerNameHeader Read(HeaderFields fields) => new()
    {
        BrokerName = fields.GetString("brokerName"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("brokerName"u8, BrokerName);
    }
}
