using System.Numerics;
using System.Runtime.Intrinsics;

namespace GrayMQ.Protocol.Messages;

/// <summary>One property as slices of the raw bytes.</summary>
public readonly ref struct MessagePropertyBytes(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
{
    public ReadOnlySpan<byte> Name { get; } = name;

    public ReadOnlySpan<byte> Value { get; } = value;
}

/// <summary>Walks the properties of <see cref="MessagePropertiesCodec"/> without allocation.</summary>
public ref struct MessagePropertiesEnumerator(ReadOnlySpan<byte> properties)
{
    private readonly ReadOnlySpan<byte> _properties = properties;

    // Where the next entry begins.
    private int _at;

    // Separators are found 32 bytes at a time: those that are left of the last ones, a bit each, and where bytes are looked at next.
    private uint _separators;
    private int _chunk;
    private int _next;

    public MessagePropertyBytes Current { get; private set; }

    public readonly MessagePropertiesEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_at < _properties.Length)
        {
            int start = _at;
            int nameEnd = -1;
            int end;
            while ((end = NextSeparator()) < _properties.Length && _properties[end] == MessagePropertiesCodec.NameValueSeparator)
            {
                nameEnd = nameEnd < 0 ? end : nameEnd;
            }

            _at = end + 1;
            if (nameEnd > start && nameEnd < end - 1)
            {
                Current = new MessagePropertyBytes(_properties[start..nameEnd], _properties[(nameEnd + 1)..end]);
                return true;
            }
        }

        return false;
    }

    // The position of the next separator of either kind; behind the end when there is none.
    private int NextSeparator()
    {
        while (_separators == 0)
        {
            if (_next >= _properties.Length)
            {
                return _properties.Length;
            }

            if (Vector256.IsHardwareAccelerated && _properties.Length >= Vector256<byte>.Count)
            {
                // The last ones may overlap those before, which are not looked at twice.
                _chunk = Math.Min(_next, _properties.Length - Vector256<byte>.Count);
                var bytes = Vector256.Create(_properties[_chunk..]);
                _separators = (Vector256.Equals(bytes, Vector256.Create(MessagePropertiesCodec.NameValueSeparator))
                    | Vector256.Equals(bytes, Vector256.Create(MessagePropertiesCodec.PropertySeparator))).ExtractMostSignificantBits();
                _separators &= uint.MaxValue << (_next - _chunk);
                _next = _chunk + Vector256<byte>.Count;
            }
            else
            {
                int found = _properties[_next..].IndexOfAny(
                    MessagePropertiesCodec.NameValueSeparator, MessagePropertiesCodec.PropertySeparator);
                if (found < 0)
                {
                    _next = _properties.Length;
                    return _next;
                }

                _next += found + 1;
                return _next - 1;
            }
        }

        int separator = _chunk + BitOperations.TrailingZeroCount(_separators);
        _separators &= _separators - 1;
        return separator;
    }
}
