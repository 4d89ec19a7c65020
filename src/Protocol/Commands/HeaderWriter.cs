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
    private const int MaxPunctuationBytes = 8;
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
        if (_json && value.IndexOfAny(Escaped) >= 0)
        {
            Begin(name, 0);
            AppendJsonString(_buffer, value);
            return;
        }

        Span<byte> to = Begin(name, value.Length);
        value.CopyTo(to[ValueAt..]);
        End(to, value.Length);
    }

    /// <summary>Writes a field whose name and value are known to need no escapes in JSON: letters, digits.</summary>
    public void WritePlain(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        Span<byte> to = BeginPlain(name, value.Length);
        value.CopyTo(to[ValueAt..]);
        End(to, value.Length);
    }

    /// <inheritdoc cref="WritePlain(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public void WritePlain(scoped ReadOnlySpan<byte> name, long value)
    {
        Span<byte> to = BeginPlain(name, MaxNumberBytes);
        Utf8Formatter.TryFormat(value, to[ValueAt..], out int length);
        End(to, length);
    }

    /// <summary>Writes fields that were encoded before.</summary>
    public void Write(FixedFields fields)
    {
        if (!_json)
        {
            _buffer.Append(fields.Binary);
        }
        else if (fields.Json.Length > 0)
        {
            if (_any)
            {
                _buffer.Append(","u8);
            }

            _buffer.Append(fields.Json);
            _any = true;
        }
    }

    /// <summary>Writes a field unless <paramref name="value"/> is null.</summary>
    public void Write(scoped ReadOnlySpan<byte> name, string? value)
    {
        if (value is null)
        {
            return;
        }

        if (_json)
        {
            Begin(name, 0);
            AppendJsonString(_buffer, value);
            return;
        }

        Span<byte> to = Begin(name, Encoding.UTF8.GetMaxByteCount(value.Length));
        End(to, Encoding.UTF8.GetBytes(value, to[ValueAt..]));
    }

    public void Write(scoped ReadOnlySpan<byte> name, long value)
    {
        Span<byte> to = Begin(name, MaxNumberBytes);
        Utf8Formatter.TryFormat(value, to[ValueAt..], out int length);
        End(to, length);
    }

    /// <summary>Writes a field unless <paramref name="value"/> is null.</summary>
    public void Write(scoped ReadOnlySpan<byte> name, long? value)
    {
        if (value is long number)
        {
            Write(name, number);
        }
    }

    public void Write(scoped ReadOnlySpan<byte> name, bool value) => Write(name, value ? "true"u8 : "false"u8);

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

    // How far the text of a value stands behind where its field has been begun: behind a quotation mark, or its length.
    private readonly int ValueAt => _json ? 1 : sizeof(int);

    // Writes the name; returns room for so many bytes of value and what goes around it.
    private Span<byte> Begin(scoped ReadOnlySpan<byte> name, int valueBytes)
    {
        if (!_json || name.IndexOfAny(Escaped) < 0)
        {
            return BeginPlain(name, valueBytes);
        }

        if (_any)
        {
            _buffer.Append(","u8);
        }

        _any = true;
        AppendJsonString(_buffer, name);
        _buffer.Append(":"u8);
        return _buffer.Reserve(valueBytes + MaxPunctuationBytes);
    }

    private Span<byte> BeginPlain(scoped ReadOnlySpan<byte> name, int valueBytes)
    {
        Span<byte> to = _buffer.Reserve(name.Length + valueBytes + MaxPunctuationBytes);
        int at = 0;
        if (_json)
        {
            if (_any)
            {
                to[at++] = (byte)',';
            }

            _any = true;
            to[at++] = (byte)'"';
            name.CopyTo(to[at..]);
            at += name.Length;
            to[at++] = (byte)'"';
            to[at++] = (byte)':';
        }
        else
        {
            BinaryPrimitives.WriteInt16BigEndian(to, checked((short)name.Length));
            name.CopyTo(to[sizeof(short)..]);
            at = sizeof(short) + name.Length;
        }

        _buffer.Advance(at);
        return to[at..];
    }

    // The value stands where it belongs.
    private readonly void End(Span<byte> to, int valueBytes)
    {
        if (_json)
        {
            to[0] = (byte)'"';
            to[valueBytes + 1] = (byte)'"';
            _buffer.Advance(valueBytes + 2);
        }
        else
        {
            BinaryPrimitives.WriteInt32BigEndian(to, valueBytes);
            _buffer.Advance(sizeof(int) + valueBytes);
        }
    }
}
