using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>Names a value to get or to delete (RocketMQ: GetKVConfigRequestHeader, DeleteKVConfigRequestHeader).</summary>
public sealed record KVConfigKeyHeader : ICommandHeader<KVConfigKeyHeader>
{
    public required string Namespace { get; init; }

    public required string Key { get; init; }

    public static KVConfigKeyHeader Read(HeaderFields fields) => new()
    {
        Namespace = fields.GetString("namespace"u8),
        Key = fields.GetString("key"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("namespace"u8, Namespace);
        writer.Write("key"u8, Key);
    }
}
