using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>RocketMQ: GetKVConfigResponseHeader.</summary>
public sealed record GetKVConfigResponseHeader : ICommandHeader<GetKVConfigResponseHeader>
{
    public string? Value { get; init; }

    public static GetKVConfigResponseHeader Read(HeaderFields fields) => new()
    {
        Value = fields.FindString("value"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("value"u8, Value);
    }
}
