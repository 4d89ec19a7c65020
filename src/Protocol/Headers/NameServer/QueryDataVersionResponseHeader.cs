using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>RocketMQ: QueryDataVersionResponseHeader.</summary>
public sealed record QueryDataVersionResponseHeader : ICommandHeader<QueryDataVersionResponseHeader>
{
    /// <summary>Whether the versions differ, so that the broker should register.</summary>
    public required bool Changed { get; init; }

    public static QueryDataVersionResponseHeader Read(HeaderFields fields) => new()
    {
        Changed = fields.GetBoolean("changed"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("changed"u8, Changed);
    }
}
