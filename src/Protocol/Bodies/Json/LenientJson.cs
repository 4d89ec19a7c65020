using System.Buffers;
using System.Text;
using System.Text.Json;

namespace GrayMQ.Protocol.Bodies.Json;

/// <summary>
/// Rewrites the JSON that fastjson tolerates as JSON by the standard: unquoted keys are quoted, a key that is an object or
/// an array becomes a string holding its JSON text, single-quoted strings become double-quoted, superfluous commas go,
/// number suffixes (<c>1L</c>) go, and pairs whose value is null go, since null means "leave the default" to fastjson.
/// </summary>
internal ref struct LenientJson
{
    private readonly ReadOnlySpan<byte> _text;
    private readonly int _maxDepth;
    private int _position;

    private LenientJson(ReadOnlySpan<byte> text, int maxDepth)
    {
        _text = text;
        _maxDepth = maxDepth;
    }

    private enum KeyKind
    {
        String,
        Bare,
        Structure,
    }

    /// <summary>False when the text cannot be understood even so; <paramref name="output"/> is then worthless.</summary>
    /// <param name="stoppedAt">How many bytes could be understood.</param>
    public static bool TryRewrite(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> output, int maxDepth, out int stoppedAt)
    {
        var rewriter = new LenientJson(text, maxDepth);
        bool understood = rewriter.Value(output, depth: 0);
        if (understood)
        {
            rewriter.SkipSpace();
        }

        stoppedAt = Math.Min(rewriter._position, text.Length);
        return understood && stoppedAt == text.Length;
    }

    private bool Value(ArrayBufferWriter<byte> output, int depth)
    {
        SkipSpace();
        return depth <= _maxDepth && Peek() switch
        {
            (byte)'{' => Object(output, depth),
            (byte)'[' => Array(output, depth),
            (byte)'"' or (byte)'\'' => String(output),
            _ => Literal(output),
        };
    }

    private bool Object(ArrayBufferWriter<byte> output, int depth)
    {
        _position++;
        output.Write("{"u8);
        for (var first = true; ;)
        {
            SkipSpaceAndCommas();
            if (Peek() == '}')
            {
                _position++;
                output.Write("}"u8);
                return true;
            }

            var key = new ArrayBufferWriter<byte>(64);
            if (!Key(key, depth))
            {
                return false;
            }

            SkipSpace();
            if (Peek() != ':')
            {
                return false;
            }

            _position++;
            if (SkippedNull())
            {
                continue;
            }

            if (!first)
            {
                output.Write(","u8);
            }

            first = false;
            output.Write(key.WrittenSpan);
            output.Write(":"u8);
            if (!Value(output, depth + 1))
            {
                return false;
            }
        }
    }

    private bool Array(ArrayBufferWriter<byte> output, int depth)
    {
        _position++;
        output.Write("["u8);
        for (var first = true; ; first = false)
        {
            SkipSpaceAndCommas();
            if (Peek() == ']')
            {
                _position++;
                output.Write("]"u8);
                return true;
            }

            if (!first)
            {
                output.Write(","u8);
            }

            if (!Value(output, depth + 1))
            {
                return false;
            }
        }
    }

    private bool Key(ArrayBufferWriter<byte> output, int depth)
    {
        var kind = Peek() switch
        {
            (byte)'"' or (byte)'\'' => KeyKind.String,
            (byte)'{' or (byte)'[' => KeyKind.Structure,
            _ => KeyKind.Bare,
        };
        switch (kind)
        {
            case KeyKind.String:
                return String(output);
            case KeyKind.Structure:
                var structure = new ArrayBufferWriter<byte>(128);
                if (!Value(structure, depth + 1))
                {
                    return false;
                }

                output.Write("\""u8);
                output.Write(JsonEncodedText.Encode(structure.WrittenSpan).EncodedUtf8Bytes);
                output.Write("\""u8);
                return true;
            default:
                var token = Token();
                if (token.IsEmpty)
                {
                    return false;
                }

                output.Write("\""u8);
                output.Write(token);
                output.Write("\""u8);
                return true;
        }
    }

    /// <summary>Copies a string with either quote; escapes that only fastjson knows become standard ones.</summary>
    private bool String(ArrayBufferWriter<byte> output)
    {
        var quote = Peek();
        _position++;
        output.Write("\""u8);
        while (_position < _text.Length)
        {
            var current = _text[_position++];
            if (current == quote)
            {
                output.Write("\""u8);
                return true;
            }

            if (current == '\\')
            {
                if (!Escape(output))
                {
                    return false;
                }
            }
            else if (current == '"')
            {
                output.Write("\\\""u8);
            }
            else if (current < 0x20)
            {
                WriteEscaped(output, current);
            }
            else
            {
                output.Write([current]);
            }
        }

        return false;
    }

    private bool Escape(ArrayBufferWriter<byte> output)
    {
        var escaped = Peek();
        _position++;
        switch (escaped)
        {
            case '"' or '\\' or '/' or 'b' or 'f' or 'n' or 'r' or 't' or 'u':
                output.Write([(byte)'\\', (byte)escaped]);
                return true;
            case '\'':
                output.Write("'"u8);
                return true;
            case 'v':
                WriteEscaped(output, 0x0B);
                return true;
            case >= '0' and <= '7':
                WriteEscaped(output, (byte)(escaped - '0'));
                return true;
            case 'x' when _position + 2 <= _text.Length
                && char.IsAsciiHexDigit((char)_text[_position]) && char.IsAsciiHexDigit((char)_text[_position + 1]):
                output.Write("\\u00"u8);
                output.Write(_text.Slice(_position, 2));
                _position += 2;
                return true;
            default:
                return false;
        }
    }

    private bool Literal(ArrayBufferWriter<byte> output)
    {
        var token = Token();
        if (token.SequenceEqual("true"u8) || token.SequenceEqual("false"u8) || token.SequenceEqual("null"u8))
        {
            output.Write(token);
            return true;
        }

        if (token.SequenceEqual("undefined"u8) || token.SequenceEqual("NaN"u8))
        {
            output.Write("null"u8);
            return true;
        }

        if (token.Length > 1 && token[^1] is (byte)'L' or (byte)'S' or (byte)'B' or (byte)'F' or (byte)'D')
        {
            token = token[..^1];
        }

        // Whether it is a number is for the strict reader to say: all that is checked here is that it cannot be more.
        output.Write(token);
        return !token.IsEmpty;
    }

    /// <summary>The run of characters that identifiers and numbers are made of; empty when there is none.</summary>
    private ReadOnlySpan<byte> Token()
    {
        var start = _position;
        while (_position < _text.Length
            && (char.IsAsciiLetterOrDigit((char)_text[_position]) || "_$.%@#-+"u8.Contains(_text[_position])))
        {
            _position++;
        }

        return _text[start.._position];
    }

    private bool SkippedNull()
    {
        SkipSpace();
        var rest = _text[_position..];
        if (!rest.StartsWith("null"u8) || (rest.Length > 4 && !" \t\r\n,}"u8.Contains(rest[4])))
        {
            return false;
        }

        _position += 4;
        return true;
    }

    private void SkipSpace()
    {
        while (_position < _text.Length && " \t\r\n\f"u8.Contains(_text[_position]))
        {
            _position++;
        }
    }

    private void SkipSpaceAndCommas()
    {
        SkipSpace();
        while (Peek() == ',')
        {
            _position++;
            SkipSpace();
        }
    }

    private readonly int Peek() => _position < _text.Length ? _text[_position] : -1;

    private static void WriteEscaped(ArrayBufferWriter<byte> output, byte control) =>
        output.Write(Encoding.ASCII.GetBytes($"\\u{control:x4}"));
}
