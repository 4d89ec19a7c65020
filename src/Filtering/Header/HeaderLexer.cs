using System.Text;
using GrayMQ.Filtering.Expressions;

namespace GrayMQ.Filtering.Header;

/// <summary>
/// Cuts a HEADER expression into tokens. Names may have points in them; texts stand in single or double quotes, with
/// <c>\\ \' \" \n \r \t</c>; regular expressions stand between slashes, where one can be (<see cref="NextPattern"/>).
/// </summary>
internal ref struct HeaderLexer(string text)
{
    private readonly string _text = text;
    private int _at;

    public HeaderTokenKind Kind { get; private set; }

    public SourceSpan Span { get; private set; }

    public readonly ReadOnlySpan<char> Image => _text.AsSpan(Span.Start, Span.Length);

    /// <summary>Goes on to the next token.</summary>
    /// <exception cref="ExpressionSyntaxException">No token begins here.</exception>
    public void Next()
    {
        SkipBlanks();
        int start = _at;
        Kind = _at == _text.Length ? HeaderTokenKind.End : Read(_text[_at]);
        Span = new SourceSpan(start, _at - start);
    }

    /// <summary>
    /// Takes a regular expression between slashes, if one begins right behind the current token, and makes it the current one; a slash
    /// within is written <c>\/</c>.
    /// </summary>
    public bool NextPattern(out string pattern)
    {
        pattern = "";
        SkipBlanks();
        if (_at == _text.Length || _text[_at] != '/')
        {
            return false;
        }

        int start = _at++;
        var written = new StringBuilder();
        while (_at < _text.Length && _text[_at] != '/')
        {
            if (_text[_at] == '\\' && _at + 1 < _text.Length)
            {
                written.Append(_text[_at + 1] == '/' ? "/" : _text.AsSpan(_at, 2));
                _at += 2;
            }
            else
            {
                written.Append(_text[_at++]);
            }
        }

        if (_at == _text.Length)
        {
            throw new ExpressionSyntaxException(start + 1, "the regular expression has no end: expected /");
        }

        _at++;
        Span = new SourceSpan(start, _at - start);
        pattern = written.ToString();
        return true;
    }

    /// <summary>What a quoted text says.</summary>
    public readonly string Unquoted()
    {
        ReadOnlySpan<char> quoted = Image[1..^1];
        if (!quoted.Contains('\\'))
        {
            return quoted.ToString();
        }

        var plain = new StringBuilder(quoted.Length);
        for (int i = 0; i < quoted.Length; i++)
        {
            plain.Append(quoted[i] != '\\' ? quoted[i] : quoted[++i] switch
            {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                char other => other,
            });
        }

        return plain.ToString();
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t' or '\n' or '\r' or '\f')
        {
            _at++;
        }
    }

    private HeaderTokenKind Read(char first)
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
            case ('\'' or '"', _):
                return ReadText(first);
            case ('=', '='):
                return Take(2, HeaderTokenKind.Equal);
            case ('=', '~'):
                return Take(2, HeaderTokenKind.Match);
            case ('!', '='):
                return Take(2, HeaderTokenKind.NotEqual);
            case ('<', '='):
                return Take(2, HeaderTokenKind.LessOrEqual);
            case ('>', '='):
                return Take(2, HeaderTokenKind.GreaterOrEqual);
            case ('&', '&'):
                return Take(2, HeaderTokenKind.And);
            case ('|', '|'):
                return Take(2, HeaderTokenKind.Or);
            case ('=', _):
                throw new ExpressionSyntaxException(_at + 1, "expected '==' or '=~', found '='");
            case ('&', _):
                throw new ExpressionSyntaxException(_at + 1, "expected '&&', found '&'");
            case ('|', _):
                throw new ExpressionSyntaxException(_at + 1, "expected '||', found '|'");
            default:
                return ReadSingle(first);
        }
    }

    private HeaderTokenKind ReadSingle(char first)
    {
        HeaderTokenKind kind = first switch
        {
            '<' => HeaderTokenKind.Less,
            '>' => HeaderTokenKind.Greater,
            '!' => HeaderTokenKind.Not,
            '?' => HeaderTokenKind.Question,
            ':' => HeaderTokenKind.Colon,
            '+' => HeaderTokenKind.Plus,
            '-' => HeaderTokenKind.Minus,
            '*' => HeaderTokenKind.Times,
            '/' => HeaderTokenKind.Slash,
            '%' => HeaderTokenKind.Percent,
            '(' => HeaderTokenKind.Open,
            ')' => HeaderTokenKind.Close,
            ',' => HeaderTokenKind.Comma,
            _ => HeaderTokenKind.End,
        };
        return kind != HeaderTokenKind.End
            ? Take(1, kind)
            : throw new ExpressionSyntaxException(
                _at + 1,
                "expected a property, a literal or an operator, found "
                + (char.IsControl(first) || char.IsSurrogate(first) ? $"U+{(int)first:X4}" : $"'{first}'"));
    }

    private HeaderTokenKind Take(int length, HeaderTokenKind kind)
    {
        _at += length;
        return kind;
    }

    private HeaderTokenKind ReadText(char quote)
    {
        int start = _at++;
        while (_at < _text.Length && _text[_at] != quote)
        {
            if (_text[_at] == '\\')
            {
                _at++;
                if (_at < _text.Length && !@"\'""nrt".Contains(_text[_at], StringComparison.Ordinal))
                {
                    throw new ExpressionSyntaxException(_at + 1, @"expected \, ', "", n, r or t behind a backslash");
                }
            }

            _at++;
        }

        if (_at >= _text.Length)
        {
            throw new ExpressionSyntaxException(start + 1, $"the text has no end: expected {quote}");
        }

        _at++;
        return HeaderTokenKind.Text;
    }

    private HeaderTokenKind ReadNumber()
    {
        SkipDigits();
        if (_at < _text.Length && _text[_at] == '.')
        {
            _at++;
            SkipDigits();
        }

        if (_at < _text.Length && _text[_at] is 'e' or 'E')
        {
            _at++;
            _at += _at < _text.Length && _text[_at] is '+' or '-' ? 1 : 0;
            int digits = _at;
            SkipDigits();
            if (_at == digits)
            {
                throw new ExpressionSyntaxException(_at + 1, "expected the digits of an exponent");
            }
        }

        return _at == _text.Length || !IsNameStart(_text[_at])
            ? HeaderTokenKind.Number
            : throw new ExpressionSyntaxException(_at + 1, $"expected the end of the number, found '{_text[_at]}'");
    }

    private void SkipDigits()
    {
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
        {
            _at++;
        }
    }

    private HeaderTokenKind ReadName()
    {
        int start = _at;
        while (_at < _text.Length && (IsNameStart(_text[_at]) || char.IsDigit(_text[_at]) || _text[_at] == '.'))
        {
            _at++;
        }

        return _text.AsSpan(start, _at - start) switch
        {
            "true" => HeaderTokenKind.True,
            "false" => HeaderTokenKind.False,
            "nil" => HeaderTokenKind.Nil,
            _ => HeaderTokenKind.Name,
        };
    }

    private static bool IsNameStart(char c) => char.IsLetter(c) || c is '_' or '$';
}
