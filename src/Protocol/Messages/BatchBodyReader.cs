using System.Buffers;
using System.Buffers.Binary;

namespace GrayMQ.Protocol.Messages;

/// <summary>One message of a batch body; the sequences are slices of it.</summary>
public readonly ref struct BatchRecord
{
    public int Flag { get; init; }

    public ReadOnlySequence<byte> Body { get; init; }

    /// <summary>Encoded properties; see <see cref="MessagePropertiesCodec"/>.</summary>
    public ReadOnlySequence<byte> Properties { get; init; }
}

/// <summary>
/// Walks the body of a batch send (SEND_BATCH_MESSAGE, 320) without copying.
/// <code>
/// totalSize 4 | magic 4 (0) | bodyCrc 4 (0) | flag 4 | bodyLength 4 | body | propertiesLength 2 | properties
/// </code>
/// RocketMQ: MessageDecoder.encodeMessage. Lengths that do not add up end the walk with <see cref="IsMalformed"/>;
/// what was read before is not to be used then.
/// </summary>
public ref struct BatchBodyReader(in ReadOnlySequence<byte> body)
{
    private const int HeaderBytes = 20;
    private const int MinRecordBytes = HeaderBytes + 2;

    private ReadOnlySequence<byte> _rest = body;

    public BatchRecord Current { get; private set; }

    /// <summary>True once something was met that is not a batch record.</summary>
    public bool IsMalformed { get; private set; }

    public bool MoveNext()
    {
        if (IsMalformed || _rest.IsEmpty)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderBytes];
        if (_rest.Length < MinRecordBytes)
        {
            return Refuse();
        }

        _rest.Slice(0, HeaderBytes).CopyTo(header);
        int totalSize = BinaryPrimitives.ReadInt32BigEndian(header);
        int flag = BinaryPrimitives.ReadInt32BigEndian(header[12..]);
        int bodyLength = BinaryPrimitives.ReadInt32BigEndian(header[16..]);
        if (totalSize < MinRecordBytes || totalSize > _rest.Length
            || bodyLength < 0 || bodyLength > totalSize - MinRecordBytes)
        {
            return Refuse();
        }

        ReadOnlySequence<byte> record = _rest.Slice(0, totalSize);
        Span<byte> lengthBytes = header[..2];
        record.Slice(HeaderBytes + bodyLength, 2).CopyTo(lengthBytes);
        int propertiesLength = BinaryPrimitives.ReadInt16BigEndian(lengthBytes);
        if (propertiesLength != totalSize - MinRecordBytes - bodyLength)
        {
            return Refuse();
        }

        Current = new BatchRecord
        {
            Flag = flag,
            Body = record.Slice(HeaderBytes, bodyLength),
            Properties = record.Slice(MinRecordBytes + bodyLength),
        };
        _rest = _rest.Slice(totalSize);
        return true;
    }

    private bool Refuse()
    {
        IsMalformed = true;
        Current = default;
        return false;
    }
}
