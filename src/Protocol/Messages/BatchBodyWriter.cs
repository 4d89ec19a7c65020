using System.Buffers;
using System.Buffers.Binary;

namespace GrayMQ.Protocol.Messages;

/// <summary>Writes the records that <see cref="BatchBodyReader"/> reads: the client's side of a batch send.</summary>
public static class BatchBodyWriter
{
    /// <summary>What a message takes besides its body and its properties.</summary>
    public const int FixedBytes = 22;

    /// <summary>Appends one message to the batch body.</summary>
    public static void Write(
        IBufferWriter<byte> destination, int flag, ReadOnlySpan<byte> body, ReadOnlySpan<byte> properties)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(properties.Length, MessagePropertiesCodec.MaxBytes);
        int total = checked(FixedBytes + body.Length + properties.Length);
        Span<byte> record = destination.GetSpan(total)[..total];
        BinaryPrimitives.WriteInt32BigEndian(record, total);
        record[4..12].Clear();
        BinaryPrimitives.WriteInt32BigEndian(record[12..], flag);
        BinaryPrimitives.WriteInt32BigEndian(record[16..], body.Length);
        body.CopyTo(record[20..]);
        BinaryPrimitives.WriteInt16BigEndian(record[(20 + body.Length)..], (short)properties.Length);
        properties.CopyTo(record[FixedBytes..][body.Length..]);
        destination.Advance(total);
    }
}
