using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace GrayMQ.Protocol.Commands;

/// <summary>Writes named fields in either form of header; in both, all values are text.</summary>
public ref struct HeaderWriter
{
    private const int MaxNumberBytes = 20;
    private const int MaxEscapedBytesPerByte = 6;

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

        const int MaxStackBytes = 256;
        int most = Encoding.UTF8.GetMaxByteCount(value.Length);
        Span<byte> utf8 = most <= MaxStackBytes ? stackalloc byte[MaxStackBytes] : new byte[most];
        int length = Encoding.UTF8.GetBytes(value, utf8);
        Write(name, utf8[..length]);
    }

    public void Write(scoped ReadOnlySpan<byte> name, long value)
    {
        Span<byte> digits = stackalloc byte[MaxNumberBytes];
        Utf8Formatter.TryFormat(value, digits, out int length);
        Write(name, digits[..length]);
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

    internal static void AppendJsonString(HeaderBuffer buffer, ReadOnlySpan<byte> utf8)
    {
        Span<byte> to = buffer.Reserve((utf8.Length * MaxEscapedBytesPerByte) + 2);
        int at = 0;
        to[at++] = (byte)'"';
        foreach (byte b in utf8)
        {
            if (b >= 0x20 && b != (byte)'"' && b != (byte)'\\')
            {
                to[at++] = b;
            }
            else if (b >= 0x20)
            {
                to[at++] = (byte)'\\';
                to[at++] = b;
            }
            else
            {
                "\\u00"u8.CopyTo(to[at..]);
                to[at + 4] = (byte)(b < 0x10 ? '0' : '1');
                to[at + 5] = "0123456789ABCDEF"u8[b & 0xF];
                at += MaxEscapedBytesPerByte;
            }
        }

        to[at++] = (byte)'"';
        buffer.Advance(at);
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
