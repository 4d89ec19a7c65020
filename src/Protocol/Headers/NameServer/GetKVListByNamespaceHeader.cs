using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>Asks for all values of a namespace (RocketMQ: GetKVListByNamespaceRequestHeader).</summary>
public sealed record GetKVListByNamespaceHeader : ICommandHeader<GetKVListByNamespaceHeader>
{
    public required string Namespace { get; init; }

    public static GetKVListByNamespaceHeader Read(HeaderFields fields) => new()
    {
        Namespace = fields.GetString("namespace"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("namespace"u8, Namespace);
    }
}
