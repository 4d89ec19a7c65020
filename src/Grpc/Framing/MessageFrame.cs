using System.Buffers;

namespace GrayMQ.Grpc.Framing;

/// <summary>Cuts messages out of a stream: each a <see cref="MessagePrefix"/> and what it announces.</summary>
public static class MessageFrame
{
    /// <summary>Takes the message at the buffer's start and moves the buffer behind it; false when not all of it is there.</summary>
    /// <param name="maxLength">The longest message that is taken, packed or not.</param>
    /// <param name="takesGzip">Whether messages may be packed.</param>
    /// <param name="message">Unpacked; within the buffer unless it was packed.</param>
    /// <param name="announced">Bytes that the message has or will have as it is sent; 0 while that is not known.</param>
    /// <exception cref="GrpcException">What is there is no message, or too long a one.</exception>
    public static bool TryRead(
        ref ReadOnlySequence<byte> buffer, int maxLength, bool takesGzip, out ReadOnlySequence<byte> message, out int announced)
    {
        message = default;
        announced = 0;
        if (!MessagePrefix.TryRead(in buffer, maxLength, out MessagePrefix prefix))
        {
            return false;
        }

        if (prefix.IsCompressed && !takesGzip)
        {
            throw new GrpcException(GrpcStatusCode.Internal, "a message is packed, and no grpc-encoding says how", "MALFORMED_FRAME");
        }

        announced = prefix.Length;
        if (buffer.Length < MessagePrefix.Bytes + (long)prefix.Length)
        {
            return false;
        }

        ReadOnlySequence<byte> sent = buffer.Slice(MessagePrefix.Bytes, prefix.Length);
        message = prefix.IsCompressed ? new ReadOnlySequence<byte>(GzipMessages.Unpack(in sent, maxLength)) : sent;
        buffer = buffer.Slice(sent.End);
        return true;
    }
}
