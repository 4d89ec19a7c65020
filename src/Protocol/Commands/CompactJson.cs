using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace GrayMQ.Protocol.Commands;

/// <summary>
/// Reads JSON headers in the one form in which clients write them: no blanks, scalars only, escapes in values. Works in place, in a
/// fraction of the time that a general reader takes. Whatever it does not know it refuses, and a general reader decides whether it is
/// JSON at all.
/// </summary>
internal ref struct CompactJson(Span<byte> text)
{
    private const int MaxInt32Digits = 10;
    private const byte FirstPrintable = 0x20;

    /// <summary>Backslash, u, four hex digits.</summary>
    internal const int EscapeBytes = 6;

    // What ends a run of plain characters in a string; bare control characters are no JSON.
    private static readonly SearchValues<byte> Special = SearchValues.Create(
        [(byte)'"', (byte)'\\', .. Enumerable.Range(0, FirstPrintable).Select(control => (byte)control)]);

    private readonly Span<byte> _text = text;
    private int _at;

    public readonly bool IsAtEnd => _at == _text.Length;

    /// <summary>How much was taken.</summary>
    public readonly int Position => _at;

    /// <summary>Takes one character if it comes next.</summary>
    public bool TryTake(char expected)
    {
        if (_at < _text.Length && _text[_at] == expected)
        {
            _at++;
            return true;
        }

        return false;
    }

    /// <summary>Takes a string; its characters stand, without escapes, at <paramref name="start"/> in the text.</summary>
    public bool TryTakeString(out int start, out int length)
    {
        length = 0;
        start = _at + 1;
        if (!TryTake('"'))
        {
            return false;
        }

        int to = _at;
        while (true)
        {
            int run = PlainCharacters(_text[_at..]);
            if (run == _text.Length - _at)
            {
                return false;
            }

            if (to != _at)
            {
                _text.Slice(_at, run).CopyTo(_text[to..]);
            }

            _at += run;
            to += run;
            switch (_text[_at])
            {
                case (byte)'"':
                    _at++;
                    length = to - start;
                    return true;
                case (byte)'\\' when TryUnescape(out byte character):
                    _text[to++] = character;
                    break;
                default:
                    return false;
            }
        }
    }

    /// <summary>Takes a whole number.</summary>
    public bool TryTakeInt32(out int number)
    {
        number = 0;
        bool negative = TryTake('-');
        int first = _at;
        long value = 0;
        while (_at < _text.Length && (uint)(_text[_at] - '0') <= 9)
        {
            value = (value * 10) + (_text[_at++] - '0');
            if (_at - first > MaxInt32Digits)
            {
                return false;
            }
        }

        int digits = _at - first;
        if (digits == 0 || (digits > 1 && _text[first] == '0'))
        {
            return false;
        }

        value = negative ? -value : value;
        number = (int)value;
        return number == value;
    }

    /// <summary>Takes a string, a whole number, <c>true</c> or <c>false</c>, as text.</summary>
    public bool TryTakeScalar(out int start, out int length)
    {
        if (_at < _text.Length && _text[_at] == '"')
        {
            return TryTakeString(out start, out length);
        }

        start = _at;
        bool taken = TryTakeWord("true"u8) || TryTakeWord("false"u8) || TryTakeInt32(out _);
        length = _at - start;
        return taken;
    }

    /// <summary>The characters of a string that was taken.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Slice(int start, int length) => _text.Slice(start, length);

    // How many characters come before a quote, a backslash or a control character. Most strings are shorter than one vector.
    private static int PlainCharacters(ReadOnlySpan<byte> text)
    {
        if (text.Length >= Vector128<byte>.Count)
        {
            Vector128<byte> first = Vector128.Create(text);
            Vector128<byte> special = Vector128.Equals(first, Vector128.Create((byte)'"'))
                | Vector128.Equals(first, Vector128.Create((byte)'\\'))
                | Vector128.LessThan(first, Vector128.Create(FirstPrintable));
            if (special != Vector128<byte>.Zero)
            {
                return BitOperations.TrailingZeroCount(special.ExtractMostSignificantBits());
            }
        }

        int run = text.IndexOfAny(Special);
        return run < 0 ? text.Length : run;
    }

    private bool TryTakeWord(ReadOnlySpan<byte> word)
    {
        if (!_text[_at..].StartsWith(word))
        {
            return false;
        }

        _at += word.Length;
        return true;
    }

    // Escapes of ASCII characters: others are rare, and longer than one byte.
    private bool TryUnescape(out byte character)
    {
        character = 0;
        if (_text.Length - _at < EscapeBytes)
        {
            return false;
        }

        switch (_text[_at + 1])
        {
            case (byte)'"' or (byte)'\\' or (byte)'/':
                character = _text[_at + 1];
                _at += 2;
                return true;
            case (byte)'u' when _text[_at + 2] == '0' && _text[_at + 3] == '0':
                int high = HexDigit(_text[_at + 4]);
                int low = HexDigit(_text[_at + 5]);
                if (high is < 0 or > 7 || low < 0)
                {
                    return false;
                }

                character = (byte)((high << 4) | low);
                _at += EscapeBytes;
                return true;
            default:
                return false;
        }
    }

    private static int HexDigit(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };
}
