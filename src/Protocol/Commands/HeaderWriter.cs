using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace GrayMQ.Protocol.Commands;

/// <summary>Writes named fields in either form of header; in both, all values are text, handed in as valid UTF-8.</summary>
public ref struct HeaderWriter
{
    private const int MaxNumberBytes = 20;
    private const int MaxEscapeBytes = 6;
    private const int MaxStackBytes = 256;
    private const byte FirstPrintable = 0x20;

    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
        [.. Enumerable.Range(0, FirstPrintable).Select(b => (byte)b), (byte)'"', (byte)'\\']);

    private readonly HeaderBuffer _buffer;
    private readonly bool _json;
    private bool _any;

    internal HeaderWriter(HeaderBuffer buffer, SerializeType type)
    {
        _buffer = buffer;
        _json = type == SerializeType.Json;
    }

    /// <summary>Writes a field of UTF-8 text.</summary>
    public void Write(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        WriteName(name);
        WriteValue(value);
    }

    /// <summary>Writes a field unless <paramref name="value"/> is null.</summary>
    public void Write(scoped ReadOnlySpan<byte> name, string? value)
    {
        if (value is null)
        {
            return;
        }

        WriteName(name);
        if (_json)
        {
            AppendJsonString(_buffer, value);
            return;
        }

        int most = Encoding.UTF8.GetMaxByteCount(value.Length);
        Span<byte> to = _buffer.Reserve(sizeof(int) + most);
        int length = Encoding.UTF8.GetBytes(value, to[sizeof(int)..]);
        BinaryPrimitives.WriteInt32BigEndian(to, length);
        _buffer.Advance(sizeof(int) + length);
    }

    public void Write(scoped ReadOnlySpan<byte> name, long value)
    {
        Span<byte> digits = stackalloc byte[MaxNumberBytes];
        Utf8Formatter.TryFormat(value, digits, out int length);
        WritePlain(name, digits[..length]);
    }

    /// <summary>Writes a field unless <paramref name="value"/> is null.</summary>
    public void Write(scoped ReadOnlySpan<byte> name, long? value)
    {
        if (value is long number)
        {
            Write(name, number);
        }
    }

    public void Write(scoped ReadOnlySpan<byte> name, bool value) => WritePlain(name, value ? "true"u8 : "false"u8);

    /// <summary>Writes a field unless <paramref name="value"/> is null.</summary>
    public void Write(scoped ReadOnlySpan<byte> name, bool? value)
    {
        if (value is bool known)
        {
            Write(name, known);
        }
    }

    internal static void AppendJsonString(HeaderBuffer buffer, string text)
    {
        byte[]? rented = null;
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> utf8 = most <= MaxStackBytes ? stackalloc byte[MaxStackBytes] : (rented = ArrayPool<byte>.Shared.Rent(most));
        AppendJsonString(buffer, utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    internal static void AppendJsonString(HeaderBuffer buffer, scoped ReadOnlySpan<byte> utf8)
    {
        int plain = utf8.IndexOfAny(Escaped);
        if (plain < 0)
        {
            // By far the most, and written in one go.
            AppendPlainString(buffer, utf8);
            return;
        }

        buffer.Append("\""u8);
        for (; plain >= 0; plain = utf8.IndexOfAny(Escaped))
        {
            Span<byte> to = buffer.Reserve(plain + MaxEscapeBytes);
            utf8[..plain].CopyTo(to);
            buffer.Advance(plain + Escape(utf8[plain], to[plain..]));
            utf8 = utf8[(plain + 1)..];
        }

        buffer.Append(utf8);
        buffer.Append("\""u8);
    }

    private static void AppendPlainString(HeaderBuffer buffer, scoped ReadOnlySpan<byte> utf8)
    {
        Span<byte> to = buffer.Reserve(utf8.Length + 2);
        to[0] = (byte)'"';
        utf8.CopyTo(to[1..]);
        to[utf8.Length + 1] = (byte)'"';
        buffer.Advance(utf8.Length + 2);
    }

    private static int Escape(byte b, Span<byte> to)
    {
        to[0] = (byte)'\\';
        if (b >= FirstPrintable)
        {
            to[1] = b;
            return 2;
        }

        "u00"u8.CopyTo(to[1..]);
        to[4] = (byte)(b < 0x10 ? '0' : '1');
        to[5] = "0123456789ABCDEF"u8[b & 0xF];
        return MaxEscapeBytes;
    }

    private void WriteName(scoped ReadOnlySpan<byte> name)
    {
        if (_json)
        {
            if (_any)
            {
                _buffer.Append(","u8);
            }

            AppendJsonString(_buffer, name);
            _buffer.Append(":"u8);
            _any = true;
        }
        else
        {
            Span<byte> to = _buffer.Reserve(sizeof(short) + name.Length);
            BinaryPrimitives.WriteInt16BigEndian(to, checked((short)name.Length));
            name.CopyTo(to[sizeof(short)..]);
            _buffer.Advance(sizeof(short) + name.Length);
        }
    }

    // A value that needs no escapes.
    private void WritePlain(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        WriteName(name);
        if (_json)
        {
            AppendPlainString(_buffer, value);
        }
        else
        {
            WriteValue(value);
        }
    }

    private readonly void WriteValue(scoped ReadOnlySpan<byte> value)
    {
        if (_json)
        {
            AppendJsonString(_buffer, value);
        }
        else
        {
            Span<byte> to = _buffer.Reserve(sizeof(int) + value.Length);
            BinaryPrimitives.WriteInt32BigEndian(to, value.Length);
            value.CopyTo(to[sizeof(int)..]);
            _buffer.Advance(sizeof(int) + value.Length);
        }
    }
}
