using System.Buffers.Binary;
using System.Text;

namespace GrayMQ.Store.KeyValue;

/// <summary>
/// Builds keys whose byte order is the order of their parts, in a buffer of the caller:
/// <c>stackalloc byte[KeyWriter.MaxStackKey]</c> does for most.
/// <code>
/// Int32, Int64   4, 8 bytes   big endian with the sign bit turned: negative before positive
/// Text           n + 1 bytes  the bytes and a 0 byte: "a" before "ab", and no text runs into the next part
/// </code>
/// </summary>
public ref struct KeyWriter(Span<byte> buffer)
{
    /// <summary>A size for keys on the stack, in bytes; topic and group names have at most 255 characters each.</summary>
    public const int MaxStackKey = 1024;

    private readonly Span<byte> _buffer = buffer;
    private int _length;

    /// <summary>What was written so far.</summary>
    public readonly ReadOnlySpan<byte> Key => _buffer[.._length];

    /// <exception cref="ArgumentException">The buffer is too small.</exception>
    public KeyWriter Int32(int value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Take(sizeof(int)), (uint)value ^ 0x8000_0000);
        return this;
    }

    /// <inheritdoc cref="Int32"/>
    public KeyWriter Int64(long value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Take(sizeof(long)), (ulong)value ^ 0x8000_0000_0000_0000);
        return this;
    }

    /// <inheritdoc cref="Int32"/>
    public KeyWriter Byte(byte value)
    {
        Take(1)[0] = value;
        return this;
    }

    /// <exception cref="ArgumentException">The text holds a NUL, or the buffer is too small.</exception>
    public KeyWriter Text(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Contains((byte)0))
        {
            throw new ArgumentException("a text in a key has no NUL", nameof(utf8));
        }
        utf8.CopyTo(Take(utf8.Length));
        return Byte(0);
    }

    /// <inheritdoc cref="Text(ReadOnlySpan{byte})"/>
    public KeyWriter Text(ReadOnlySpan<char> text)
    {
        if (text.Contains('\0'))
        {
            throw new ArgumentException("a text in a key has no NUL", nameof(text));
        }
        Encoding.UTF8.GetBytes(text, Take(Encoding.UTF8.GetByteCount(text)));
        return Byte(0);
    }

    /// <summary>The smallest key greater than all that begin with <paramref name="prefix"/>.</summary>
    /// <returns>Its length; 0 when there is none, because the prefix is empty or all 0xFF.</returns>
    public static int PrefixEnd(ReadOnlySpan<byte> prefix, Span<byte> destination)
    {
        int last = prefix.LastIndexOfAnyExcept((byte)0xFF);
        prefix[..(last + 1)].CopyTo(destination);
        if (last >= 0)
        {
            destination[last]++;
        }
        return last + 1;
    }

    private Span<byte> Take(int count)
    {
        if (_buffer.Length - _length < count)
        {
            throw new ArgumentException($"a key needs more than the {_buffer.Length} bytes of its buffer");
        }
        Span<byte> taken = _buffer.Slice(_length, count);
        _length += count;
        return taken;
    }
}
