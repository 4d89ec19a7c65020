using System.Collections;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>The column families to open, with their options. "default" is always among them: RocksDB asks for it.</summary>
internal sealed class ColumnFamilies : IEnumerable<ColumnFamilies.Descriptor>
{
    public const string DefaultName = "default";

    private readonly List<Descriptor> _descriptors = [];

    public ColumnFamilies(ColumnFamilyOptions defaultOptions) => Add(DefaultName, defaultOptions);

    public int Count => _descriptors.Count;

    public void Add(string name, ColumnFamilyOptions options) => _descriptors.Add(new Descriptor(name, options));

    public IEnumerator<Descriptor> GetEnumerator() => _descriptors.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public sealed record Descriptor(string Name, ColumnFamilyOptions Options);
}
