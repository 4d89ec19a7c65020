using System.Diagnostics.CodeAnalysis;
using System.Text;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Expressions;

/// <summary>The texts of an IN, each once, in the order in which they are named. Immutable.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "It is no collection of .NET's: it answers one question.")]
public sealed class TextSet
{
    // Up to here comparing one by one is faster than hashing.
    private const int MaxScanned = 8;

    private readonly byte[][] _values;
    private readonly HashSet<byte[]>.AlternateLookup<ReadOnlySpan<byte>>? _table;

    public TextSet(IEnumerable<byte[]> values)
    {
        var table = new HashSet<byte[]>(Utf8Comparer.Instance);
        _values = [.. values.Where(table.Add)];
        _table = _values.Length > MaxScanned ? table.GetAlternateLookup<ReadOnlySpan<byte>>() : null;
    }

    public IReadOnlyList<byte[]> Values => _values;

    public bool Contains(ReadOnlySpan<byte> utf8)
    {
        if (_table is { } table)
        {
            return table.Contains(utf8);
        }

        foreach (byte[] value in _values)
        {
            if (utf8.SequenceEqual(value))
            {
                return true;
            }
        }

        return false;
    }

    public override string ToString() => "(" + string.Join(", ", _values.Select(value => LiteralText.Quote(Encoding.UTF8.GetString(value)))) + ")";
}
