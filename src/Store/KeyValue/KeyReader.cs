using System.Buffers.Binary;
using System.Text;

namespace GrayMQ.Store.KeyValue;

/// <summary>Takes apart what <see cref="KeyWriter"/> put together.</summary>
public ref struct KeyReader(ReadOnlySpan<byte> key)
{
    private ReadOnlySpan<byte> _rest = key;

    public readonly bool AtEnd => _rest.IsEmpty;

    /// <exception cref="InvalidDataException">The key ends before.</exception>
    public int Int32() => (int)(BinaryPrimitives.ReadUInt32BigEndian(Take(sizeof(int))) ^ 0x8000_0000);

    /// <inheritdoc cref="Int32"/>
    public long Int64() => (long)(BinaryPrimitives.ReadUInt64BigEndian(Take(sizeof(long))) ^ 0x8000_0000_0000_0000);

    /// <inheritdoc cref="Int32"/>
    public byte Byte() => Take(1)[0];

    /// <inheritdoc cref="Int32"/>
    public ReadOnlySpan<byte> Utf8()
    {
        int end = _rest.IndexOf((byte)0);
        if (end < 0)
        {
            throw new InvalidDataException("a key ends within a text");
        }
        return Take(end + 1)[..end];
    }

    /// <inheritdoc cref="Int32"/>
    public string Text() => Encoding.UTF8.GetString(Utf8());

    private ReadOnlySpan<byte> Take(int count)
    {
        if (_rest.Length < count)
        {
            throw new InvalidDataException($"a key has {_rest.Length} bytes left where {count} are expected");
        }
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
