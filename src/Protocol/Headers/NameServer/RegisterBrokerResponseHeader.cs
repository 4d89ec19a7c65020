using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>What a slave has to know of its master (RocketMQ: RegisterBrokerResponseHeader).</summary>
public sealed record RegisterBrokerResponseHeader : ICommandHeader<RegisterBrokerResponseHeader>
{
    public string? HaServerAddress { get; init; }

    public string? MasterAddress { get; init; }

    public static RegisterBrokerResponseHeader Read(HeaderFields fields) => new()
    {
        HaServerAddress = fields.FindString("haServerAddr"u8),
        MasterAddress = fields.FindString("masterAddr"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("haServerAddr"u8, HaServerAddress);
        writer.Write("masterAddr"u8, MasterAddress);
    }
}
