using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>Sets a value (RocketMQ: PutKVConfigRequestHeader).</summary>
public sealed record PutKVConfigHeader : ICommandHeader<PutKVConfigHeader>
{
    public required string Namespace { get; init; }

    public required string Key { get; init; }

    public required string Value { get; init; }

    public static PutKVConfigHeader Read(HeaderFields fields) => new()
    {
        Namespace = fields.GetString("namespace"u8),
        Key = fields.GetString("key"u8),
        Value = fields.GetString("value"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("namespace"u8, Namespace);
        writer.Write("key"u8, Key);
        writer.Write("value"u8, Value);
    }
}
