using System.Buffers;
using System.Buffers.Binary;

namespace GrayMQ.Protocol.Commands;

/// <summary>
/// One command on the wire, cut out of a stream of bytes but not yet understood.
/// <code>
/// +----------------+------+----------------+-------------+-----------+
/// | frame length 4 | type | header length 3| header      | body      |
/// +----------------+------+----------------+-------------+-----------+
///                   \__________ frame length counts from here ______/
/// </code>
/// All numbers are big-endian. <c>type</c> is the <see cref="SerializeType"/> of the header.
/// </summary>
public readonly ref struct Frame
{
    /// <summary>Bytes before the header: the frame length and the header length.</summary>
    public const int PrefixBytes = 8;

    /// <summary>The largest header length that its 24 bits can say.</summary>
    internal const int MaxHeaderLength = 0x00FFFFFF;

    private const int LengthBytes = 4;

    private Frame(SerializeType serializeType, ReadOnlySequence<byte> header, ReadOnlySequence<byte> body)
    {
        SerializeType = serializeType;
        Header = header;
        Body = body;
    }

    /// <summary>How <see cref="Header"/> is written.</summary>
    public SerializeType SerializeType { get; }

    public ReadOnlySequence<byte> Header { get; }

    public ReadOnlySequence<byte> Body { get; }

    /// <summary>
    /// Takes one whole frame from the start of <paramref name="buffer"/> and moves the buffer behind it; false, with the
    /// buffer left alone, while the frame is not there in full. A length that lies is found as soon as it has been read.
    /// </summary>
    /// <exception cref="ProtocolException">The lengths do not fit each other or the limits.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, CommandLimits limits, out Frame frame)
    {
        frame = default;
        if (buffer.Length < LengthBytes)
        {
            return false;
        }

        Span<byte> prefix = stackalloc byte[PrefixBytes];
        scoped ReadOnlySpan<byte> first = buffer.FirstSpan;
        if (first.Length < PrefixBytes)
        {
            int there = (int)Math.Min(PrefixBytes, buffer.Length);
            buffer.Slice(0, there).CopyTo(prefix);
            first = prefix[..there];
        }

        int frameLength = BinaryPrimitives.ReadInt32BigEndian(first);
        if (frameLength < LengthBytes || frameLength > limits.MaxFrameBytes)
        {
            throw new ProtocolException(
                $"frame length {frameLength} is out of range: expected {LengthBytes} to {limits.MaxFrameBytes}");
        }

        if (first.Length < PrefixBytes)
        {
            return false;
        }

        int typeAndLength = BinaryPrimitives.ReadInt32BigEndian(first[LengthBytes..]);
        int headerLength = typeAndLength & MaxHeaderLength;
        var type = (SerializeType)(typeAndLength >>> 24);
        if (headerLength > frameLength - LengthBytes || headerLength > limits.MaxHeaderBytes)
        {
            throw new ProtocolException(
                $"header length {headerLength} is out of range: expected at most "
                + $"{Math.Min(frameLength - LengthBytes, limits.MaxHeaderBytes)} in a frame of {frameLength}");
        }

        if (type > SerializeType.RocketMq)
        {
            throw new ProtocolException($"serialization type {(byte)type} is unknown: expected 0 (JSON) or 1 (ROCKETMQ)");
        }

        long total = LengthBytes + (long)frameLength;
        if (buffer.Length < total)
        {
            return false;
        }

        frame = new Frame(
            type,
            buffer.Slice(PrefixBytes, headerLength),
            buffer.Slice(PrefixBytes + headerLength, frameLength - LengthBytes - headerLength));
        buffer = buffer.Slice(total);
        return true;
    }
}
