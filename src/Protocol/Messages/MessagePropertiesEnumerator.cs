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
    private ReadOnlySpan<byte> _rest = properties;

    public MessagePropertyBytes Current { get; private set; }

    public readonly MessagePropertiesEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            int end = _rest.IndexOf(MessagePropertiesCodec.PropertySeparator);
            ReadOnlySpan<byte> entry = end < 0 ? _rest : _rest[..end];
            _rest = end < 0 ? default : _rest[(end + 1)..];

            int separator = entry.IndexOf(MessagePropertiesCodec.NameValueSeparator);
            if (separator > 0 && separator < entry.Length - 1)
            {
                Current = new MessagePropertyBytes(entry[..separator], entry[(separator + 1)..]);
                return true;
            }
        }

        return false;
    }
}
