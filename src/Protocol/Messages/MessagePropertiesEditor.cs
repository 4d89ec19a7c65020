using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// Changes a stored message's properties as bytes, for a message that is stored again: a retry, a dead letter, a due timer, a
/// committed transaction. Works in one rented buffer, without strings or dictionaries; what is not touched stays as and where
/// it was. <see cref="Dispose"/> gives the buffer back, with which <see cref="Bytes"/> ends.
/// </summary>
public ref struct MessagePropertiesEditor : IDisposable
{
    // What is added is mostly two or three short properties.
    private const int SpareBytes = 256;
    private const int MaxNumberBytes = 20;

    private byte[] _buffer;
    private int _length;

    /// <param name="properties">Copied; see <see cref="MessagePropertiesCodec"/>.</param>
    public MessagePropertiesEditor(scoped ReadOnlySpan<byte> properties)
    {
        _buffer = ArrayPool<byte>.Shared.Rent(properties.Length + 1 + SpareBytes);
        properties.CopyTo(_buffer);
        _length = properties.Length;
        if (_length > 0 && _buffer[_length - 1] != MessagePropertiesCodec.PropertySeparator)
        {
            _buffer[_length++] = MessagePropertiesCodec.PropertySeparator;
        }
    }

    /// <summary>The properties as they are now, each with a separator behind it; good until the next change.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>Finds a property; the value is good until the next change.</summary>
    [UnscopedRef]
    public readonly bool TryFind(scoped ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value) =>
        MessagePropertiesCodec.TryFind(_buffer.AsSpan(0, _length), name, out value);

    public readonly bool Contains(scoped ReadOnlySpan<byte> name) => TryFind(name, out _);

    /// <summary>Takes the property out, as often as it is there.</summary>
    public void Remove(scoped ReadOnlySpan<byte> name)
    {
        int start = 0;
        while (start < _length)
        {
            Span<byte> rest = _buffer.AsSpan(start, _length - start);
            int entryBytes = rest.IndexOf(MessagePropertiesCodec.PropertySeparator) + 1;
            bool named = entryBytes > name.Length + 1
                && rest[name.Length] == MessagePropertiesCodec.NameValueSeparator
                && rest.StartsWith(name);
            if (named)
            {
                rest[entryBytes..].CopyTo(rest);
                _length -= entryBytes;
            }
            else
            {
                start += entryBytes;
            }
        }
    }

    /// <summary>Sets a property, whether it is there or not; it then stands last. An empty value only takes it out.</summary>
    /// <param name="name">Not empty, and without separators.</param>
    /// <param name="value">Without separators behind a property's end; not a slice of this editor's own bytes.</param>
    public void Set(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        Remove(name);
        if (value.IsEmpty)
        {
            return;
        }

        int needed = name.Length + 1 + value.Length + 1;
        if (needed > _buffer.Length - _length)
        {
            Grow(needed);
        }

        Span<byte> free = _buffer.AsSpan(_length);
        name.CopyTo(free);
        free[name.Length] = MessagePropertiesCodec.NameValueSeparator;
        value.CopyTo(free[(name.Length + 1)..]);
        free[needed - 1] = MessagePropertiesCodec.PropertySeparator;
        _length += needed;
    }

    /// <inheritdoc cref="Set(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public void Set(scoped ReadOnlySpan<byte> name, long value)
    {
        Span<byte> digits = stackalloc byte[MaxNumberBytes];
        Utf8Formatter.TryFormat(value, digits, out int length);
        Set(name, digits[..length]);
    }

    /// <summary>As <see cref="Set(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>, unless the property is there.</summary>
    public void SetIfAbsent(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        if (!Contains(name))
        {
            Set(name, value);
        }
    }

    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        _length = 0;
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Grow(int needed)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(_length + needed + SpareBytes);
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
