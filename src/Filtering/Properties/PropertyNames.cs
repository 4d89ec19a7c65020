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

    /// <summary>By slot.</summary>
    public IReadOnlyList<string> All => _names;

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
        OrderedDictionary<string, byte>? added = null;
        foreach (string name in more)
        {
            if (Find(name) < 0)
            {
                (added ??= new(StringComparer.Ordinal)).TryAdd(name, 0);
            }
        }

        if (added is null)
        {
            return this;
        }

        return Count + added.Count <= MaxCount
            ? new PropertyNames([.. _names, .. added.Keys], [.. _utf8, .. added.Keys.Select(Encoding.UTF8.GetBytes)])
            : throw new InvalidOperationException($"the expressions name more than {MaxCount} properties");
    }

    private int Home(ReadOnlySpan<byte> name) => (int)(Utf8Hash.Of(name) & (uint)(_table.Length - 1));
}
