namespace GrayMQ.Store.KeyValue;

/// <summary>One key with its value; holds until the scan moves on.</summary>
public readonly ref struct KeyValueEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
{
    public ReadOnlySpan<byte> Key { get; } = key;

    public ReadOnlySpan<byte> Value { get; } = value;
}
