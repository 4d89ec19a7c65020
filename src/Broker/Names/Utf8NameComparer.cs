using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;

namespace GrayMQ.Broker.Names;

/// <summary>
/// Compares names of topics and groups ordinally, and lets dictionaries with string keys be asked by the UTF-8 bytes of
/// a request header without making a string: <c>dictionary.GetAlternateLookup&lt;ReadOnlySpan&lt;byte&gt;&gt;()</c>. Bytes that are no
/// UTF-8 equal no name.
/// </summary>
public sealed class Utf8NameComparer : IEqualityComparer<string>, IAlternateEqualityComparer<ReadOnlySpan<byte>, string>
{
    private const int MaxStackBytes = 512;

    private Utf8NameComparer()
    {
    }

    public static Utf8NameComparer Instance { get; } = new();

    public bool Equals(string? x, string? y) => string.Equals(x, y, StringComparison.Ordinal);

    public int GetHashCode([DisallowNull] string obj)
    {
        int most = Encoding.UTF8.GetMaxByteCount(obj.Length);
        Span<byte> utf8 = most <= MaxStackBytes ? stackalloc byte[MaxStackBytes] : new byte[most];
        return GetHashCode(utf8[..Encoding.UTF8.GetBytes(obj, utf8)]);
    }

    public bool Equals(ReadOnlySpan<byte> alternate, string other)
    {
        if (Ascii.IsValid(alternate))
        {
            return Ascii.Equals(alternate, other);
        }

        int most = Encoding.UTF8.GetMaxByteCount(other.Length);
        Span<byte> utf8 = most <= MaxStackBytes ? stackalloc byte[MaxStackBytes] : new byte[most];
        return Utf8.FromUtf16(other, utf8, out _, out int length, replaceInvalidSequences: false) is System.Buffers.OperationStatus.Done
            && alternate.SequenceEqual(utf8[..length]);
    }

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        // HashCode has a seed of its own in each process: names chosen to collide do not.
        var hash = new HashCode();
        hash.AddBytes(alternate);
        return hash.ToHashCode();
    }

    public string Create(ReadOnlySpan<byte> alternate) => Encoding.UTF8.GetString(alternate);
}
