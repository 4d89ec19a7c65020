using System.Globalization;
using GrayMQ.Store.Files;

namespace GrayMQ.Store.CommitLogs;

/// <summary>One file of the commit log, mapped whole. Its name is the offset of its first byte, in 20 digits.</summary>
internal sealed class CommitLogFile(string path, long baseOffset, MappedFile memory)
{
    private const int NameDigits = 20;

    public string Path { get; } = path;

    /// <summary>The physical offset of its first byte.</summary>
    public long BaseOffset { get; } = baseOffset;

    public MappedFile Memory { get; } = memory;

    public int Length => Memory.Length;

    /// <summary>What the file had of its length when it was opened: what lies behind was cut off by somebody.</summary>
    public int FoundLength { get; init; } = memory.Length;

    public long EndOffset => BaseOffset + Length;

    public static string NameOf(long baseOffset) => baseOffset.ToString("D20", CultureInfo.InvariantCulture);

    /// <summary>Reads a name; false for anything that is not 20 digits.</summary>
    public static bool TryParseName(string name, out long baseOffset)
    {
        baseOffset = 0;
        return name.Length == NameDigits
            && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out baseOffset);
    }
}
