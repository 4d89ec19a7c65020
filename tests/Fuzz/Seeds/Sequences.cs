using System.Buffers;

namespace GrayMQ.Fuzz.Seeds;

/// <summary>Bytes in several segments, as a pipe hands them out.</summary>
internal static class Sequences
{
    /// <summary>Splits into segments whose lengths follow from the content, empty ones among them.</summary>
    public static ReadOnlySequence<byte> Split(byte[] bytes)
    {
        uint state = 2_166_136_261;
        foreach (byte b in bytes.AsSpan(0, Math.Min(bytes.Length, 64)))
        {
            state = (state ^ b) * 16_777_619;
        }

        var first = new Segment(default, 0);
        Segment last = first;
        for (int at = 0; at < bytes.Length;)
        {
            state = (state * 1_664_525) + 1_013_904_223;
            int length = Math.Min((int)(state >> 24) % (at < 32 ? 4 : 100), bytes.Length - at);
            last = last.Add(bytes.AsMemory(at, length));
            at += length;
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
