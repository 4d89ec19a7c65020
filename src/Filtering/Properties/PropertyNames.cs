using System.Text;

namespace GrayMQ.Filtering.Properties;

/// <summary>Which slot of a <see cref="PropertyReader"/> is which property. Immutable; slots are numbered from 0.</summary>
public sealed class PropertyNames
{
    private readonly string[] _names;
    private readonly byte[][] _utf8;

    // Open addressing; slot + 1, 0 is free.
    private readonly ushort[] _table;

    private PropertyNames(string[] names, byte[][] utf8)
    {
        _names = names;
        _utf8 = utf8;
        _table = new ushort[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, names.Length * 2))];
        for (int slot = 0; slot < names.Length; slot++)
        {
            int at = Home(_utf8[slot]);
            while (_table[at] != 0)
            {
                at = (at + 1) & (_table.Length - 1);
            }

            _table[at] = (ushort)(slot + 1);
        }
    }

    /// <summary>Most names that one table has.</summary>
    public const int MaxCount = 16_384;

    public static PropertyNames None { get; } = new([], []);

    public int Count => _names.Length;

    public string this[int slot] => _names[slot];

    public ReadOnlySpan<byte> Utf8(int slot) => _utf8[slot];

    /// <summary>The slot of a property; -1 when it has none.</summary>
    public int Find(ReadOnlySpan<byte> utf8Name)
    {
        int at = Home(utf8Name);
        while (_table[at] != 0)
        {
            int slot = _table[at] - 1;
            if (utf8Name.SequenceEqual(_utf8[slot]))
            {
                return slot;
            }

            at = (at + 1) & (_table.Length - 1);
        }

        return -1;
    }

    public int Find(string name)
    {
        Span<byte> utf8 = name.Length <= 128 ? stackalloc byte[name.Length * 3] : new byte[Encoding.UTF8.GetMaxByteCount(name.Length)];
        return Find(utf8[..Encoding.UTF8.GetBytes(name, utf8)]);
    }

    /// <summary>These names, and those of <paramref name="more"/> that are not among them; slots stay what they are.</summary>
    public PropertyNames With(IEnumerable<string> more)
    {
        List<string>? added = null;
        foreach (string name in more)
        {
            if (Find(name) < 0 && added?.Contains(name) != true)
            {
                (added ??= []).Add(name);
            }
        }

        if (added is null)
        {
            return this;
        }

        return Count + added.Count <= MaxCount
            ? new PropertyNames([.. _names, .. added], [.. _utf8, .. added.Select(Encoding.UTF8.GetBytes)])
            : throw new InvalidOperationException($"the expressions name more than {MaxCount} properties");
    }

    // Names that differ mostly differ in length, beginning or end.
    private int Home(ReadOnlySpan<byte> name)
    {
        uint hash = (uint)name.Length;
        if (name.Length > 0)
        {
            hash = (hash * 31) + name[0];
            hash = (hash * 31) + name[^1];
            hash = (hash * 31) + name[name.Length / 2];
        }

        return (int)((hash * 0x9E3779B1u) >> 16) & (_table.Length - 1);
    }
}
