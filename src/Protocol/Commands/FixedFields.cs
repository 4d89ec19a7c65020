namespace GrayMQ.Protocol.Commands;

/// <summary>Fields that are the same in every header they are in, encoded once for both forms.</summary>
public sealed class FixedFields
{
    private readonly byte[] _json;
    private readonly byte[] _binary;

    private FixedFields(byte[] json, byte[] binary)
    {
        _json = json;
        _binary = binary;
    }

    /// <summary>What stands between the braces of a JSON object: one name and value at least, or nothing.</summary>
    internal ReadOnlySpan<byte> Json => _json;

    internal ReadOnlySpan<byte> Binary => _binary;

    /// <summary>Encodes what a header writes now.</summary>
    public static FixedFields Of<THeader>(in THeader header)
        where THeader : IHeaderFields, allows ref struct =>
        new(Encode(in header, SerializeType.Json), Encode(in header, SerializeType.RocketMq));

    private static byte[] Encode<THeader>(in THeader header, SerializeType type)
        where THeader : IHeaderFields, allows ref struct
    {
        var buffer = new HeaderBuffer();
        var writer = new HeaderWriter(buffer, type);
        header.Write(ref writer);
        return buffer.Written.ToArray();
    }
}
