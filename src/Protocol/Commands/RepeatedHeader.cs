using System.Buffers.Text;
using System.Text;

namespace GrayMQ.Protocol.Commands;

/// <summary>
/// What a peer's JSON header was like the last time. A producer's next one mostly has the same length and differs in a few characters of
/// its values: a number of the request, a time, a unique key. Those are then put where they belong, and nothing is parsed.
/// </summary>
/// <remarks>
/// What may differ are printable ASCII characters within strings of <c>extFields</c> that were written without an escape, and the digits of
/// <c>opaque</c>. None of them can change where anything else stands or what it means, so whatever is taken here reads as the parser
/// would have read it. Everything else is for the parser.
/// </remarks>
internal sealed class RepeatedHeader
{
    private const int MaxBytes = 2048;

    // Fields that have a bit of their own.
    private const int MaxFields = 63;
    private const byte FirstPrintable = 0x20;
    private const byte FirstBeyondAscii = 0x80;

    private byte[] _text = [];
    private Run[] _runs = [];
    private int _length;
    private int _runCount;

    /// <summary>Nothing is known any more.</summary>
    public void Forget() => _length = 0;

    /// <summary>Takes in a header that has been parsed.</summary>
    /// <param name="header">As it came.</param>
    /// <param name="fields">As they were read from it, each value beginning where it begins in the header.</param>
    /// <param name="opaque">Where the number's digits stand.</param>
    public void Learn(ReadOnlySpan<byte> header, HeaderFields fields, Range opaque)
    {
        Forget();
        if (header.Length > MaxBytes || !Ascii.IsValid(header))
        {
            return;
        }

        if (_text.Length < header.Length)
        {
            _text = new byte[header.Length];
        }

        header.CopyTo(_text);
        _runCount = 0;
        (int opaqueAt, int opaqueLength) = opaque.GetOffsetAndLength(header.Length);
        bool opaqueLearned = opaqueLength == 0 || header[opaqueAt] == '-';
        for (int i = 0; i < fields.Count; i++)
        {
            (int valueAt, int valueLength) = fields.PlaceOfValue(i);
            if (!opaqueLearned && opaqueAt < valueAt)
            {
                Add(opaqueAt, opaqueLength, Run.OfOpaque, 0);
                opaqueLearned = true;
            }

            if (header[valueAt - 1] == '"')
            {
                LearnString(header, valueAt, valueLength, i < MaxFields ? 1UL << i : HeaderFields.AllChanged);
            }
        }

        if (!opaqueLearned)
        {
            Add(opaqueAt, opaqueLength, Run.OfOpaque, 0);
        }

        _length = header.Length;
    }

    /// <summary>
    /// Puts what differs into the fields' bytes; false when the header has to be parsed, and then they are of no use any more.
    /// </summary>
    /// <param name="opaque">Changed if the header has another.</param>
    /// <param name="changes">The fields that have another value, see <see cref="HeaderFields.Changes"/>.</param>
    public bool TryTake(ReadOnlySpan<byte> header, Span<byte> fields, ref int opaque, out ulong changes)
    {
        changes = 0;
        if (_length == 0 || header.Length != _length)
        {
            return false;
        }

        Span<byte> known = _text.AsSpan(0, _length);
        ReadOnlySpan<Run> runs = _runs.AsSpan(0, _runCount);
        Run number = default;
        int at = 0;
        int run = 0;
        while ((at += header[at..].CommonPrefixLength(known[at..])) < header.Length)
        {
            while (run < runs.Length && runs[run].End <= at)
            {
                run++;
            }

            if (run == runs.Length || at < runs[run].Start)
            {
                return false;
            }

            byte character = header[at];
            if (runs[run].Shift == Run.OfOpaque)
            {
                if ((uint)(character - '0') > 9)
                {
                    return false;
                }

                number = runs[run];
            }
            else
            {
                if (character is < FirstPrintable or >= FirstBeyondAscii or (byte)'"' or (byte)'\\')
                {
                    return false;
                }

                fields[at - runs[run].Shift] = character;
                changes |= runs[run].Field;
            }

            known[at++] = character;
        }

        return number == default || TryReadNumber(header[number.Start..number.End], out opaque);
    }

    // As JSON writes it: without leading zeros.
    private static bool TryReadNumber(ReadOnlySpan<byte> digits, out int number) =>
        Utf8Parser.TryParse(digits, out number, out int read) && read == digits.Length && (digits[0] != '0' || digits.Length == 1);

    private void LearnString(ReadOnlySpan<byte> header, int valueAt, int valueLength, ulong field)
    {
        // Where escapes come before it, a character stands further to the front among the fields than in the header.
        int at = valueAt;
        int to = valueAt;
        while (to < valueAt + valueLength)
        {
            int left = valueAt + valueLength - to;
            int plain = header.Slice(at, left).IndexOf((byte)'\\');
            plain = plain < 0 ? left : plain;
            Add(at, plain, at - to, field);
            at += plain;
            to += plain;
            if (to < valueAt + valueLength)
            {
                at += header[at + 1] == 'u' ? CompactJson.EscapeBytes : 2;
                to++;
            }
        }
    }

    private void Add(int start, int length, int shift, ulong field)
    {
        if (length == 0)
        {
            return;
        }

        if (_runCount == _runs.Length)
        {
            Array.Resize(ref _runs, Math.Max(16, _runCount * 2));
        }

        _runs[_runCount++] = new Run((short)start, (short)(start + length), (short)shift, field);
    }

    // Characters of the header that may differ, in ascending order, how much further to the front they stand among the fields, and the
    // bit of their field.
    private readonly record struct Run(short Start, short End, short Shift, ulong Field)
    {
        public const short OfOpaque = -1;
    }
}
