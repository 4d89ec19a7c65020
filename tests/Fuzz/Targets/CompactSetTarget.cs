using System.Buffers.Binary;
using GrayMQ.Filtering.Indexes;

namespace GrayMQ.Fuzz.Targets;

/// <summary>The numbers of the expressions that a message matches, as they are kept: whatever the bytes, asking ends, and finds what they say.</summary>
internal sealed class CompactSetTarget : FuzzTarget
{
    private const int AskedIds = 2000;

    public override string Name => "compact-set";

    // What is held against it is a set of eight numbers for each byte.
    public override long MaxAllocatedBytes(int inputBytes) => (1024 * 1024) + (1000L * inputBytes);

    public override IReadOnlyList<byte[]> Tokens { get; } =
        [[0], [1], [2], [0x7F], [0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80]];

    public override IEnumerable<byte[]> Seeds() =>
        [[0], [1, 5], [1, 0, 0, 0x80, 1], [2, 0, 1, 2, 3, 4, 5, 6, 7, 8], [2, 3, 255, 0, 0, 0, 0, 0, 0, 1, 7, 0, 0, 0, 0, 0, 0, 0]];

    public override bool Run(byte[] input)
    {
        HashSet<long> said = Read(input);
        for (int id = -1; id < AskedIds; id++)
        {
            FindingException.Unless(CompactSet.Contains(input, id) == said.Contains(id), $"{id} is in it for one, and not for the other");
        }

        foreach (int id in (int[])[FilterIndexOptions.MaxId, int.MaxValue, int.MinValue])
        {
            FindingException.Unless(CompactSet.Contains(input, id) == said.Contains(id), $"{id} is in it for one, and not for the other");
        }

        return input is [0 or 1 or 2, ..];
    }

    // By the layout, all at once: what Contains says without reading it all.
    private static HashSet<long> Read(ReadOnlySpan<byte> bytes)
    {
        var ids = new HashSet<long>();
        ReadOnlySpan<byte> rest = bytes.IsEmpty ? bytes : bytes[1..];
        if (bytes.IsEmpty || bytes[0] is not (1 or 2))
        {
            return ids;
        }

        if (bytes[0] == 1)
        {
            long id = -1;
            while (TryRead(ref rest, out uint distance))
            {
                id += distance + 1L;
                ids.Add(id);
            }

            return ids;
        }

        if (TryRead(ref rest, out uint word))
        {
            for (long at = word; rest.Length >= sizeof(ulong); at++, rest = rest[sizeof(ulong)..])
            {
                for (int bit = 0; bit < 64; bit++)
                {
                    if ((BinaryPrimitives.ReadUInt64LittleEndian(rest) >> bit & 1) != 0)
                    {
                        ids.Add((at * 64) + bit);
                    }
                }
            }
        }

        return ids;
    }

    private static bool TryRead(ref ReadOnlySpan<byte> bytes, out uint value)
    {
        ulong read = 0;
        for (int i = 0; i < 5 && i < bytes.Length; i++)
        {
            read |= (ulong)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] < 0x80)
            {
                bytes = bytes[(i + 1)..];
                value = (uint)read;
                return true;
            }
        }

        value = 0;
        return false;
    }
}
