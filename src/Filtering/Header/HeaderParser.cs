using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Header;

/// <summary>
/// Reads HEADER expressions.
/// <code>
/// choice     = or [ "?" choice ":" choice ]
/// or         = and { "||" and }                                  and      = equality { "&amp;&amp;" equality }
/// equality   = order { ( "==" | "!=" ) order | "=~" pattern }    order    = sum { ( "&lt;" | "&lt;=" | ">" | ">=" ) sum }
/// sum        = product { ( "+" | "-" ) product }                 product  = unary { ( "*" | "/" | "%" ) unary }
/// unary      = ( "!" | "-" ) unary | primary
/// primary    = number | text | true | false | nil | property | function "(" choice { "," choice } ")" | "(" choice ")"
/// pattern    = "/" … "/" | text
/// </code>
/// </summary>
internal ref struct HeaderParser
{
    private HeaderLexer _lexer;
    private int _depth;
    private int _patterns;

    private HeaderParser(string text) => _lexer = new HeaderLexer(text);

    /// <exception cref="ExpressionSyntaxException">It cannot be understood.</exception>
    public static TruthExpression Parse(string text)
    {
        var parser = new HeaderParser(text);
        parser._lexer.Next();
        TruthExpression root = HeaderOperators.Condition(parser.Choice());
        return parser._lexer.Kind == HeaderTokenKind.End ? root : throw parser.Expected("an operator or the end");
    }

    private HeaderOperand Choice()
    {
        HeaderOperand condition = Or();
        if (_lexer.Kind != HeaderTokenKind.Question)
        {
            return condition;
        }

        TruthExpression truth = HeaderOperators.Condition(condition);
        Enter();
        HeaderOperand then = Choice();
        Require(HeaderTokenKind.Colon, "':'");
        HeaderOperand otherwise = Choice();
        _depth--;
        return Checked(HeaderOperators.Choose(condition.Span.To(otherwise.Span), truth, then, otherwise));
    }

    private HeaderOperand Or() => Chain(isAnd: false);

    private HeaderOperand And() => Chain(isAnd: true);

    private HeaderOperand Chain(bool isAnd)
    {
        HeaderOperand first = isAnd ? Equality() : And();
        HeaderTokenKind joint = isAnd ? HeaderTokenKind.And : HeaderTokenKind.Or;
        if (_lexer.Kind != joint)
        {
            return first;
        }

        List<TruthExpression> operands = [HeaderOperators.Condition(first)];
        while (_lexer.Kind == joint)
        {
            _lexer.Next();
            operands.Add(HeaderOperators.Condition(isAnd ? Equality() : And()));
        }

        return Checked(HeaderOperand.Of(new JunctionTruth(operands[0].Span.To(operands[^1].Span), isAnd, operands)));
    }

    private HeaderOperand Equality()
    {
        HeaderOperand left = Order();
        while (true)
        {
            switch (_lexer.Kind)
            {
                case HeaderTokenKind.Equal or HeaderTokenKind.NotEqual:
                    bool isNegated = _lexer.Kind == HeaderTokenKind.NotEqual;
                    _lexer.Next();
                    HeaderOperand right = Order();
                    left = Checked(HeaderOperand.Of(
                        HeaderOperators.Equality(left.Span.To(right.Span), left, right, isNegated)));
                    break;
                case HeaderTokenKind.Match:
                    left = Pattern(left);
                    break;
                default:
                    return left;
            }
        }
    }

    private HeaderOperand Pattern(HeaderOperand left)
    {
        TextExpression text = HeaderOperators.Text(left);
        if (!_lexer.NextPattern(out string pattern))
        {
            _lexer.Next();
            pattern = _lexer.Kind == HeaderTokenKind.Text ? _lexer.Unquoted() : throw Expected("a regular expression between slashes");
        }

        SourceSpan span = _lexer.Span;
        if (++_patterns > FilterLimits.MaxPatterns)
        {
            throw new ExpressionSyntaxException(span.Column, $"expected no more than {FilterLimits.MaxPatterns} regular expressions");
        }

        _lexer.Next();
        return HeaderOperand.Of(new TextPattern(left.Span.To(span), text, pattern, HeaderPattern.Compile(pattern, span)));
    }

    private HeaderOperand Order()
    {
        HeaderOperand left = Sum();
        while (true)
        {
            ComparisonOperator comparison;
            switch (_lexer.Kind)
            {
                case HeaderTokenKind.Less:
                    comparison = ComparisonOperator.Less;
                    break;
                case HeaderTokenKind.LessOrEqual:
                    comparison = ComparisonOperator.LessOrEqual;
                    break;
                case HeaderTokenKind.Greater:
                    comparison = ComparisonOperator.Greater;
                    break;
                case HeaderTokenKind.GreaterOrEqual:
                    comparison = ComparisonOperator.GreaterOrEqual;
                    break;
                default:
                    return left;
            }

            _lexer.Next();
            HeaderOperand right = Sum();
            left = Checked(HeaderOperand.Of(HeaderOperators.Order(left.Span.To(right.Span), comparison, left, right)));
        }
    }

    private HeaderOperand Sum()
    {
        HeaderOperand left = Product();
        while (_lexer.Kind is HeaderTokenKind.Plus or HeaderTokenKind.Minus)
        {
            left = Arithmetic(left, _lexer.Kind == HeaderTokenKind.Plus ? ArithmeticOperator.Add : ArithmeticOperator.Subtract, isSum: true);
        }

        return left;
    }

    private HeaderOperand Product()
    {
        HeaderOperand left = Unary();
        while (_lexer.Kind is HeaderTokenKind.Times or HeaderTokenKind.Slash or HeaderTokenKind.Percent)
        {
            ArithmeticOperator operation = _lexer.Kind switch
            {
                HeaderTokenKind.Times => ArithmeticOperator.Multiply,
                HeaderTokenKind.Slash => ArithmeticOperator.Divide,
                _ => ArithmeticOperator.Remainder,
            };
            left = Arithmetic(left, operation, isSum: false);
        }

        return left;
    }

    private HeaderOperand Arithmetic(HeaderOperand left, ArithmeticOperator operation, bool isSum)
    {
        NumberExpression l = HeaderOperators.Number(left);
        _lexer.Next();
        HeaderOperand right = isSum ? Product() : Unary();
        return Checked(HeaderOperand.Of(
            HeaderOperators.Compute(left.Span.To(right.Span), operation, l, HeaderOperators.Number(right))));
    }

    private HeaderOperand Unary()
    {
        SourceSpan start = _lexer.Span;
        switch (_lexer.Kind)
        {
            case HeaderTokenKind.Not:
                Enter();
                HeaderOperand negated = Unary();
                _depth--;
                return HeaderOperand.Of(HeaderOperators.Not(start.To(negated.Span), HeaderOperators.Condition(negated)));
            case HeaderTokenKind.Minus:
                Enter();
                HeaderOperand operand = Unary();
                _depth--;
                return HeaderOperand.Of(HeaderOperators.Compute(
                    start.To(operand.Span),
                    ArithmeticOperator.Subtract,
                    new LiteralNumber(start, new FilterNumber(0L)),
                    HeaderOperators.Number(operand)));
            default:
                return Primary();
        }
    }

    private HeaderOperand Primary()
    {
        SourceSpan span = _lexer.Span;
        HeaderOperand operand;
        switch (_lexer.Kind)
        {
            case HeaderTokenKind.Open:
                Enter();
                HeaderOperand inner = Choice();
                SourceSpan whole = span.To(_lexer.Span);
                Require(HeaderTokenKind.Close, "an operator or ')'");
                _depth--;
                return inner.At(whole);
            case HeaderTokenKind.Name:
                string name = _lexer.Image.ToString();
                _lexer.Next();
                return _lexer.Kind == HeaderTokenKind.Open ? Call(span, name) : HeaderOperand.Of(new PropertyText(span, name));
            case HeaderTokenKind.Text:
                operand = HeaderOperand.Of(new LiteralText(span, _lexer.Unquoted()));
                break;
            case HeaderTokenKind.Number:
                operand = HeaderOperand.Of(Number());
                break;
            case HeaderTokenKind.True or HeaderTokenKind.False:
                operand = HeaderOperand.Of(new ConstantTruth(span, OutcomeAlgebra.Of(_lexer.Kind == HeaderTokenKind.True)));
                break;
            case HeaderTokenKind.Nil:
                operand = HeaderOperand.Of(new MissingText(span));
                break;
            default:
                throw Expected("a property, a literal, a function, '!' or '('");
        }

        _lexer.Next();
        return operand;
    }

    private readonly LiteralNumber Number()
    {
        Span<byte> ascii = stackalloc byte[_lexer.Image.Length <= 512 ? _lexer.Image.Length : throw Expected("a shorter number")];
        for (int i = 0; i < ascii.Length; i++)
        {
            ascii[i] = (byte)_lexer.Image[i];
        }

        FilterNumber value = NumberReader.ReadDecimal(ascii);
        return value.IsNumber && (value.IsWhole || _lexer.Image.IndexOfAny('.', 'e', 'E') >= 0)
            ? new LiteralNumber(_lexer.Span, value)
            : throw Expected("a whole number of 64 bits or a finite double");
    }

    private HeaderOperand Call(SourceSpan start, string name)
    {
        const string Prefix = "string.";
        Enter();
        List<HeaderOperand> arguments = [];
        if (_lexer.Kind != HeaderTokenKind.Close)
        {
            arguments.Add(Choice());
            while (_lexer.Kind == HeaderTokenKind.Comma)
            {
                _lexer.Next();
                arguments.Add(Choice());
            }
        }

        SourceSpan span = start.To(_lexer.Span);
        Require(HeaderTokenKind.Close, "',' or ')'");
        _depth--;
        string function = name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;
        return Checked(HeaderFunctions.Call(function, span, arguments));
    }

    private static HeaderOperand Checked(HeaderOperand operand)
    {
        Expression expression = (Expression?)operand.Truth ?? (Expression?)operand.Number ?? operand.Text!;
        return expression.Depth <= FilterLimits.MaxDepth ? operand : throw TooDeep(operand.Span.Column);
    }

    private void Enter()
    {
        if (++_depth > FilterLimits.MaxDepth)
        {
            throw TooDeep(_lexer.Span.Column);
        }

        _lexer.Next();
    }

    private static ExpressionSyntaxException TooDeep(int column) =>
        new(column, $"expected no more than {FilterLimits.MaxDepth} levels of parentheses and operators");

    private void Require(HeaderTokenKind kind, string what)
    {
        if (_lexer.Kind != kind)
        {
            throw Expected(what);
        }

        _lexer.Next();
    }

    private readonly ExpressionSyntaxException Expected(string what) => new(
        _lexer.Span.Column,
        _lexer.Kind == HeaderTokenKind.End ? $"expected {what}, found the end" : $"expected {what}, found '{_lexer.Image}'");
}
