using System.Buffers;

namespace GrayMQ.Protocol.Tests.Messages;

/// <summary>Byte sequences of several segments, as a pipe hands them out.</summary>
internal static class Sequences
{
    /// <summary>Splits <paramref name="data"/> into segments of the given lengths; the last takes the rest.</summary>
    public static ReadOnlySequence<byte> Split(byte[] data, params int[] lengths)
    {
        var first = new Segment(ReadOnlyMemory<byte>.Empty, 0);
        Segment last = first;
        int position = 0;
        foreach (int wanted in lengths.Append(int.MaxValue))
        {
            int length = Math.Min(wanted, data.Length - position);
            last = last.Add(data.AsMemory(position, length));
            position += length;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Segment Add(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
