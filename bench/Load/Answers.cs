using System.Buffers;
using System.Buffers.Binary;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Load;

/// <summary>Reads of answers what the load has to know.</summary>
internal static class Answers
{
    /// <summary>Reads code and header of a frame, whatever the size of its body.</summary>
    public static void DecodeHeader(this RemotingCommand answer, ReadOnlySpan<byte> frame)
    {
        int headerBytes = BinaryPrimitives.ReadInt32BigEndian(frame[4..]) & 0xFFFFFF;
        byte[] shortened = frame[..(Frame.PrefixBytes + headerBytes)].ToArray();
        BinaryPrimitives.WriteInt32BigEndian(shortened, shortened.Length - sizeof(int));
        var sequence = new ReadOnlySequence<byte>(shortened);
        Frame.TryRead(ref sequence, CommandLimits.Default, out Frame cut);
        answer.Decode(in cut, CommandLimits.Default);
    }
}
