using System.Buffers.Binary;

namespace GrayMQ.Fuzz.Targets;

/// <summary>What can become of a file, from a few bytes: flipped, overwritten, zeroed, cut, lengthened, gone.</summary>
internal static class FileDamage
{
    /// <summary>Bytes that say one damage.</summary>
    public const int Bytes = 9;

    public const int Kinds = 8;

    private const string MemoryFolder = "/dev/shm";

    /// <summary>A new folder, in memory where that can be had: what is tested is what is read, and syncing takes most of the time.</summary>
    public static DirectoryInfo CreateFolder() => Directory.Exists(MemoryFolder)
        ? Directory.CreateDirectory(Path.Combine(MemoryFolder, $"graymq-fuzz-{Guid.NewGuid():N}"))
        : Directory.CreateTempSubdirectory("graymq-fuzz-");

    /// <summary>Writes files, by their paths within a folder.</summary>
    public static void Write(IReadOnlyDictionary<string, byte[]> files, string root)
    {
        foreach ((string name, byte[] content) in files)
        {
            string path = Path.Combine(root, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }
    }

    /// <summary>The file as it is then; null when it is gone.</summary>
    /// <param name="damage">kind 1 | file 2 (the caller's) | position 4 | length or value 2.</param>
    public static byte[]? Apply(byte[] content, ReadOnlySpan<byte> damage)
    {
        // Zeros behind the last byte in use are hit seldom enough.
        int used = content.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        int position = (int)(BinaryPrimitives.ReadUInt32BigEndian(damage[3..]) % (uint)(used + 32));
        ushort value = BinaryPrimitives.ReadUInt16BigEndian(damage[7..]);
        byte[] copy = [.. content];
        Span<byte> rest = copy.AsSpan(Math.Min(position, copy.Length));
        switch (damage[0] % Kinds)
        {
            case 0 when rest.Length > 0:
                rest[0] ^= (byte)(1 << (value & 7));
                break;
            case 1:
                rest[..Math.Min(rest.Length, value % 64)].Fill((byte)value);
                break;
            case 2:
                rest[..Math.Min(rest.Length, (int)value)].Clear();
                break;
            case 3:
                return content[..Math.Min(position, content.Length)];
            case 4 when value % 4 == 0:
                return null;
            case 5:
                return [.. content, .. content.AsSpan(0, Math.Min(content.Length, value % 4_096))];
            case 6 when rest.Length >= sizeof(int):
                BinaryPrimitives.WriteInt32BigEndian(rest, (short)value);
                break;
            case 7 when rest.Length >= sizeof(long):
                BinaryPrimitives.WriteInt64BigEndian(rest, value switch { < 20_000 => long.MaxValue, < 40_000 => long.MinValue, _ => value });
                break;
            default:
                break;
        }

        return copy;
    }
}
