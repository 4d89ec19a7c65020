using GrayMQ.Filtering.Expressions;

namespace GrayMQ.Filtering.Sql92;

/// <summary>
/// Cuts an expression into the tokens of RocketMQ's SelectorParser: the longest token that begins here counts; names are ASCII letters,
/// digits, <c>_</c> and <c>$</c>; key words are in any case; a quote within a text is written twice; there are comments of both kinds.
/// </summary>
internal ref struct Sql92Lexer(string text)
{
    private readonly string _text = text;
    private int _at;

    public Sql92TokenKind Kind { get; private set; }

    public SourceSpan Span { get; private set; }

    public readonly ReadOnlySpan<char> Image => _text.AsSpan(Span.Start, Span.Length);

    /// <summary>Goes on to the next token.</summary>
    /// <exception cref="ExpressionSyntaxException">No token begins here.</exception>
    public void Next()
    {
        SkipBlanks();
        int start = _at;
        Kind = _at == _text.Length ? Sql92TokenKind.End : Read(_text[_at]);
        Span = new SourceSpan(start, _at - start);
    }

    /// <summary>What a quoted text says.</summary>
    public readonly string Unquoted() => Image[1..^1].ToString().Replace("''", "'", StringComparison.Ordinal);

    /// <summary>Whether what is left begins with a comment up to the end, which has no line end for SQL92 to close it.</summary>
    public readonly bool IsLastComment() =>
        Kind == Sql92TokenKind.Minus
        && _text.AsSpan(Span.Start).StartsWith("--", StringComparison.Ordinal)
        && !_text.AsSpan(Span.Start).ContainsAny('\r', '\n');

    private void SkipBlanks()
    {
        while (_at < _text.Length)
        {
            ReadOnlySpan<char> rest = _text.AsSpan(_at);
            if (rest[0] is ' ' or '\t' or '\n' or '\r' or '\f')
            {
                _at++;
            }
            else if (rest.StartsWith("--", StringComparison.Ordinal) && rest.IndexOfAny('\r', '\n') is >= 0 and int line)
            {
                _at += line + 1;
            }
            else if (rest.StartsWith("/*", StringComparison.Ordinal) && rest[2..].IndexOf("*/", StringComparison.Ordinal) is >= 0 and int end)
            {
                _at += end + 4;
            }
            else
            {
                return;
            }
        }
    }

    private Sql92TokenKind Read(char first)
    {
        if (IsNameStart(first))
        {
            return ReadName();
        }

        char second = _at + 1 < _text.Length ? _text[_at + 1] : '\0';
        if (char.IsAsciiDigit(first) || (first == '.' && char.IsAsciiDigit(second)))
        {
            return ReadNumber();
        }

        switch (first, second)
        {
            case ('\'', _):
                return ReadText();
            case ('<', '>'):
                return Take(2, Sql92TokenKind.NotEqual);
            case ('<', '='):
                return Take(2, Sql92TokenKind.LessOrEqual);
            case ('>', '='):
                return Take(2, Sql92TokenKind.GreaterOrEqual);
            case ('<', _):
                return Take(1, Sql92TokenKind.Less);
            case ('>', _):
                return Take(1, Sql92TokenKind.Greater);
            case ('=', _):
                return Take(1, Sql92TokenKind.Equal);
            case ('+', _):
                return Take(1, Sql92TokenKind.Plus);
            case ('-', _):
                return Take(1, Sql92TokenKind.Minus);
            case ('(', _):
                return Take(1, Sql92TokenKind.Open);
            case (')', _):
                return Take(1, Sql92TokenKind.Close);
            case (',', _):
                return Take(1, Sql92TokenKind.Comma);
            case ('/', '*'):
                throw new ExpressionSyntaxException(_at + 1, "the comment has no end: expected */");
            default:
                throw new ExpressionSyntaxException(_at + 1, $"expected a property, a literal or an operator, found {Describe(first)}");
        }
    }

    private Sql92TokenKind Take(int length, Sql92TokenKind kind)
    {
        _at += length;
        return kind;
    }

    private Sql92TokenKind ReadText()
    {
        int start = _at++;
        while (_at < _text.Length)
        {
            if (_text[_at++] != '\'')
            {
                continue;
            }

            if (_at == _text.Length || _text[_at] != '\'')
            {
                return Sql92TokenKind.Text;
            }

            _at++;
        }

        throw new ExpressionSyntaxException(start + 1, "the text has no end: expected '");
    }

    // A point or an exponent makes it a fraction; a whole number has no zeros before it.
    private Sql92TokenKind ReadNumber()
    {
        int start = _at;
        SkipDigits();
        int whole = _at;
        bool fraction = false;
        if (_at < _text.Length && _text[_at] == '.')
        {
            fraction = true;
            _at++;
            SkipDigits();
        }

        if (_at < _text.Length && _text[_at] is 'e' or 'E')
        {
            int exponent = _at++;
            _at += _at < _text.Length && _text[_at] is '+' or '-' ? 1 : 0;
            int digits = _at;
            SkipDigits();
            if (_at == digits)
            {
                _at = exponent;
            }
            else
            {
                fraction = true;
            }
        }

        if (fraction)
        {
            return Sql92TokenKind.Fraction;
        }

        if (_text[start] == '0')
        {
            _at = start + 1;
            return Sql92TokenKind.Whole;
        }

        _at = whole;
        _at += _at < _text.Length && _text[_at] is 'l' or 'L' ? 1 : 0;
        return Sql92TokenKind.Whole;
    }

    private void SkipDigits()
    {
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
        {
            _at++;
        }
    }

    private Sql92TokenKind ReadName()
    {
        int start = _at;
        while (_at < _text.Length && (IsNameStart(_text[_at]) || char.IsAsciiDigit(_text[_at])))
        {
            _at++;
        }

        Span<char> upper = stackalloc char[16];
        ReadOnlySpan<char> name = _text.AsSpan(start, _at - start);
        int length = name.Length <= upper.Length ? name.ToUpperInvariant(upper) : 0;
        return upper[..Math.Max(0, length)] switch
        {
            "NOT" => Sql92TokenKind.Not,
            "AND" => Sql92TokenKind.And,
            "OR" => Sql92TokenKind.Or,
            "BETWEEN" => Sql92TokenKind.Between,
            "IN" => Sql92TokenKind.In,
            "TRUE" => Sql92TokenKind.True,
            "FALSE" => Sql92TokenKind.False,
            "NULL" => Sql92TokenKind.Null,
            "IS" => Sql92TokenKind.Is,
            "CONTAINS" => Sql92TokenKind.Contains,
            "STARTSWITH" => Sql92TokenKind.StartsWith,
            "ENDSWITH" => Sql92TokenKind.EndsWith,
            _ => Sql92TokenKind.Name,
        };
    }

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c is '_' or '$';

    private static string Describe(char c) => char.IsControl(c) || char.IsSurrogate(c) ? $"U+{(int)c:X4}" : $"'{c}'";
}
