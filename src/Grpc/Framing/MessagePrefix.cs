using System.Buffers;
using System.Buffers.Binary;

namespace GrayMQ.Grpc.Framing;

/// <summary>
/// What stands before each message of a stream.
/// <code>
///  0        1                                 5
/// +--------+--------+--------+--------+--------+----
/// | packed | length, big-endian, unsigned      | message
/// +--------+--------+--------+--------+--------+----
/// </code>
/// </summary>
/// <param name="IsCompressed">The message is in the encoding that the header <c>grpc-encoding</c> names.</param>
/// <param name="Length">Bytes of the message as it is sent.</param>
public readonly record struct MessagePrefix(bool IsCompressed, int Length)
{
    public const int Bytes = 5;

    /// <summary>Reads the prefix at the start; false when not all of it is there.</summary>
    /// <param name="maxLength">The longest message that is taken.</param>
    /// <exception cref="GrpcException">The flag is none, or the message is too long.</exception>
    public static bool TryRead(in ReadOnlySequence<byte> bytes, int maxLength, out MessagePrefix prefix)
    {
        prefix = default;
        if (bytes.Length < Bytes)
        {
            return false;
        }

        Span<byte> buffer = stackalloc byte[Bytes];
        bytes.Slice(0, Bytes).CopyTo(buffer);
        if (buffer[0] > 1)
        {
            throw new GrpcException(
                GrpcStatusCode.Internal, $"a message begins with the flag {buffer[0]}: expected 0 or 1", "MALFORMED_FRAME");
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(buffer[1..]);
        if (length > (uint)maxLength)
        {
            throw TooLarge(length, maxLength);
        }

        prefix = new MessagePrefix(buffer[0] == 1, (int)length);
        return true;
    }

    /// <param name="destination">At least <see cref="Bytes"/>.</param>
    public void Write(Span<byte> destination)
    {
        destination[0] = IsCompressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(destination[1..], Length);
    }

    internal static GrpcException TooLarge(long length, int maxLength) => new(
        GrpcStatusCode.ResourceExhausted, $"a message of {length} bytes is too large: {maxLength} are the limit", "MESSAGE_TOO_LARGE");
}
