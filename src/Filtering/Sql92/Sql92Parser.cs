using System.Globalization;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Sql92;

/// <summary>
/// Reads RocketMQ's SQL92: its grammar (SelectorParser), its checks when an expression is made, its meaning. One thing is other: RocketMQ
/// passes over whatever follows a complete expression, here that is a mistake like any other.
/// <code>
/// or         = and { OR and }                                    and = equality { AND equality }
/// equality   = comparison { ( "=" | "&lt;&gt;" ) comparison | IS [ NOT ] NULL }
/// comparison = unary { ( ">" | ">=" | "&lt;" | "&lt;=" ) unary | [ NOT ] ( CONTAINS | STARTSWITH | ENDSWITH ) text
///                    | [ NOT ] BETWEEN unary AND unary | [ NOT ] IN "(" text { "," text } ")" }
/// unary      = ( "+" | "-" | NOT ) unary | primary               primary = literal | name | "(" or ")"
/// </code>
/// </summary>
internal ref struct Sql92Parser
{
    private Sql92Lexer _lexer;
    private int _depth;

    private Sql92Parser(string text) => _lexer = new Sql92Lexer(text);

    /// <exception cref="ExpressionSyntaxException">It cannot be understood, or RocketMQ would refuse it.</exception>
    public static TruthExpression Parse(string text)
    {
        var parser = new Sql92Parser(text);
        parser._lexer.Next();
        TruthExpression root = Condition(parser.Or());
        return parser._lexer.Kind == Sql92TokenKind.End || parser._lexer.IsLastComment()
            ? root
            : throw parser.Expected("an operator or the end");
    }

    private Sql92Operand Or() => Chain(isAnd: false);

    private Sql92Operand And() => Chain(isAnd: true);

    private Sql92Operand Chain(bool isAnd)
    {
        Sql92Operand first = isAnd ? Equality() : And();
        Sql92TokenKind joint = isAnd ? Sql92TokenKind.And : Sql92TokenKind.Or;
        if (_lexer.Kind != joint)
        {
            return first;
        }

        List<TruthExpression> operands = [Condition(first)];
        while (_lexer.Kind == joint)
        {
            _lexer.Next();
            operands.Add(Condition(isAnd ? Equality() : And()));
        }

        return Truth(new JunctionTruth(operands[0].Span.To(operands[^1].Span), isAnd, operands));
    }

    private Sql92Operand Equality()
    {
        Sql92Operand left = Comparison();
        while (true)
        {
            switch (_lexer.Kind)
            {
                case Sql92TokenKind.Equal:
                case Sql92TokenKind.NotEqual:
                    bool equal = _lexer.Kind == Sql92TokenKind.Equal;
                    _lexer.Next();
                    Sql92Operand right = Comparison();
                    CheckEquality(left, right);
                    SourceSpan both = left.Span.To(right.Span);
                    left = Truth(equal ? Sql92Comparisons.Equal(both, left, right) : Sql92Comparisons.NotEqual(both, left, right));
                    break;
                case Sql92TokenKind.Is:
                    _lexer.Next();
                    bool not = Take(Sql92TokenKind.Not);
                    SourceSpan span = left.Span.To(_lexer.Span);
                    Require(Sql92TokenKind.Null, not ? "NULL" : "NULL or NOT NULL");
                    TruthExpression isNull = Sql92Comparisons.IsNull(span, left);
                    left = Truth(not ? Sql92Comparisons.Not(span, isNull) : isNull);
                    break;
                default:
                    return left;
            }
        }
    }

    private Sql92Operand Comparison()
    {
        Sql92Operand left = Unary();
        while (true)
        {
            switch (_lexer.Kind)
            {
                case Sql92TokenKind.Greater:
                    left = InOrder(ComparisonOperator.Greater, left);
                    break;
                case Sql92TokenKind.GreaterOrEqual:
                    left = InOrder(ComparisonOperator.GreaterOrEqual, left);
                    break;
                case Sql92TokenKind.Less:
                    left = InOrder(ComparisonOperator.Less, left);
                    break;
                case Sql92TokenKind.LessOrEqual:
                    left = InOrder(ComparisonOperator.LessOrEqual, left);
                    break;
                case Sql92TokenKind.Not:
                    _lexer.Next();
                    left = Worded(left, isNegated: true);
                    break;
                case Sql92TokenKind.Contains or Sql92TokenKind.StartsWith or Sql92TokenKind.EndsWith
                    or Sql92TokenKind.Between or Sql92TokenKind.In:
                    left = Worded(left, isNegated: false);
                    break;
                default:
                    return left;
            }
        }
    }

    private Sql92Operand InOrder(ComparisonOperator comparison, Sql92Operand left)
    {
        _lexer.Next();
        Sql92Operand right = Unary();
        return Truth(InOrder(comparison, left, right));
    }

    private static TruthExpression InOrder(ComparisonOperator comparison, Sql92Operand left, Sql92Operand right)
    {
        CheckOrdered(left);
        CheckOrdered(right);
        return Sql92Comparisons.InOrder(left.Span.To(right.Span), comparison, left, right);
    }

    private Sql92Operand Worded(Sql92Operand left, bool isNegated)
    {
        Sql92TokenKind kind = _lexer.Kind;
        switch (kind)
        {
            case Sql92TokenKind.Contains or Sql92TokenKind.StartsWith or Sql92TokenKind.EndsWith:
                _lexer.Next();
                LiteralText part = Literal();
                TextSearchKind search = kind switch
                {
                    Sql92TokenKind.Contains => TextSearchKind.Contains,
                    Sql92TokenKind.StartsWith => TextSearchKind.StartsWith,
                    _ => TextSearchKind.EndsWith,
                };
                return Truth(Sql92Comparisons.Search(left.Span.To(part.Span), search, left, part, isNegated));
            case Sql92TokenKind.Between:
                _lexer.Next();
                Sql92Operand low = Unary();
                Require(Sql92TokenKind.And, "AND");
                return Truth(Between(left, low, Unary(), isNegated));
            case Sql92TokenKind.In:
                return Truth(In(left, isNegated));
            default:
                throw Expected("CONTAINS, STARTSWITH, ENDSWITH, BETWEEN or IN");
        }
    }

    private static JunctionTruth Between(Sql92Operand value, Sql92Operand low, Sql92Operand high, bool isNegated)
    {
        SourceSpan span = value.Span.To(high.Span);
        if (isNegated)
        {
            return new JunctionTruth(
                span, isAnd: false, InOrder(ComparisonOperator.Less, value, low), InOrder(ComparisonOperator.Greater, value, high));
        }

        if (low.IsLiteral && high.IsLiteral && low.Kind == Sql92OperandKind.Number && high.Kind == Sql92OperandKind.Number
            && Sql92Comparisons.Order(high, low) < 0)
        {
            throw new ExpressionSyntaxException(
                low.Span.Column, $"expected {low.NumberForm} not to be more than {high.NumberForm}: nothing lies between");
        }

        return new JunctionTruth(
            span, isAnd: true, InOrder(ComparisonOperator.GreaterOrEqual, value, low), InOrder(ComparisonOperator.LessOrEqual, value, high));
    }

    private TextMembership In(Sql92Operand left, bool isNegated)
    {
        if (left.Kind != Sql92OperandKind.Property)
        {
            throw new ExpressionSyntaxException(left.Span.Column, "expected a property before IN");
        }

        _lexer.Next();
        Require(Sql92TokenKind.Open, "'('");
        List<byte[]> values = [Literal().Utf8];
        while (Take(Sql92TokenKind.Comma))
        {
            values.Add(Literal().Utf8);
        }

        SourceSpan end = _lexer.Span;
        Require(Sql92TokenKind.Close, "',' or ')'");
        return new TextMembership(left.Span.To(end), left.Text!, new TextSet(values), isNegated, Outcome.Null);
    }

    private Sql92Operand Unary()
    {
        SourceSpan start = _lexer.Span;
        switch (_lexer.Kind)
        {
            case Sql92TokenKind.Plus:
                Enter();
                Sql92Operand same = Unary();
                _depth--;
                return same;
            case Sql92TokenKind.Minus:
                Enter();
                Sql92Operand negated = Negate(start, Unary());
                _depth--;
                return negated;
            case Sql92TokenKind.Not:
                Enter();
                TruthExpression condition = Condition(Unary());
                _depth--;
                return Truth(Sql92Comparisons.Not(start.To(condition.Span), condition));
            default:
                return Primary();
        }
    }

    private static Sql92Operand Negate(SourceSpan start, Sql92Operand operand)
    {
        SourceSpan span = start.To(operand.Span);
        return operand.Kind switch
        {
            // Java's int and long wrap around; the least of them cannot be written, so it does not matter.
            Sql92OperandKind.Number => operand with { Span = span, IsLiteral = false, Whole = -operand.Whole, Fraction = -operand.Fraction },
            _ => new Sql92Operand { Span = span, Kind = Sql92OperandKind.Null, Truth = operand.Truth },
        };
    }

    private Sql92Operand Primary()
    {
        SourceSpan span = _lexer.Span;
        Sql92Operand operand;
        switch (_lexer.Kind)
        {
            case Sql92TokenKind.Open:
                Enter();
                Sql92Operand inner = Or();
                SourceSpan whole = span.To(_lexer.Span);
                Require(Sql92TokenKind.Close, "an operator or ')'");
                _depth--;
                return inner.At(whole);
            case Sql92TokenKind.Name:
                operand = new Sql92Operand
                {
                    Span = span,
                    Kind = Sql92OperandKind.Property,
                    Text = new PropertyText(span, _lexer.Image.ToString()),
                };
                break;
            case Sql92TokenKind.Text:
                operand = new Sql92Operand
                {
                    Span = span,
                    Kind = Sql92OperandKind.Text,
                    IsLiteral = true,
                    Text = new LiteralText(span, _lexer.Unquoted()),
                };
                break;
            case Sql92TokenKind.Whole:
                operand = Whole();
                break;
            case Sql92TokenKind.Fraction:
                operand = Fraction();
                break;
            case Sql92TokenKind.True or Sql92TokenKind.False or Sql92TokenKind.Null:
                Outcome value = _lexer.Kind == Sql92TokenKind.Null ? Outcome.Null : OutcomeAlgebra.Of(_lexer.Kind == Sql92TokenKind.True);
                operand = Truth(new ConstantTruth(span, value)) with { IsLiteral = true };
                break;
            default:
                throw Expected("a property, a literal, NOT or '('");
        }

        _lexer.Next();
        return operand;
    }

    private readonly Sql92Operand Whole()
    {
        ReadOnlySpan<char> digits = _lexer.Image[^1] is 'l' or 'L' ? _lexer.Image[..^1] : _lexer.Image;
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? new Sql92Operand
            {
                Span = _lexer.Span,
                Kind = Sql92OperandKind.Number,
                IsLiteral = true,
                Reading = value <= int.MaxValue ? NumberReading.Int32 : NumberReading.Int64,
                Whole = value,
            }
            : throw Expected("a whole number of 64 bits");
    }

    private readonly Sql92Operand Fraction()
    {
        double value = double.Parse(_lexer.Image, NumberStyles.Float, CultureInfo.InvariantCulture);
        return value > 0 && double.IsFinite(value)
            ? new Sql92Operand
            {
                Span = _lexer.Span,
                Kind = Sql92OperandKind.Number,
                IsLiteral = true,
                Reading = NumberReading.JavaDouble,
                Fraction = value,
            }
            : throw Expected("a number between 4.9E-324 and 1.8E308, which is what RocketMQ takes");
    }

    // RocketMQ: ComparisonExpression.checkEqualOperand and checkEqualOperandCompatability.
    private static void CheckEquality(Sql92Operand left, Sql92Operand right)
    {
        foreach (Sql92Operand operand in (ReadOnlySpan<Sql92Operand>)[left, right])
        {
            if (operand is { IsLiteral: true, Truth: ConstantTruth { Value: Outcome.Null } })
            {
                throw new ExpressionSyntaxException(operand.Span.Column, "expected IS NULL or IS NOT NULL: nothing equals NULL");
            }
        }

        if (left is { IsLiteral: true, Kind: Sql92OperandKind.Truth } && right.IsLiteral && right.Kind != Sql92OperandKind.Truth)
        {
            throw new ExpressionSyntaxException(right.Span.Column, "expected TRUE or FALSE, as on the left side");
        }
    }

    // RocketMQ: ComparisonExpression.checkLessThanOperand.
    private static void CheckOrdered(Sql92Operand operand)
    {
        if (operand.Kind is Sql92OperandKind.Text or Sql92OperandKind.Truth)
        {
            throw new ExpressionSyntaxException(
                operand.Span.Column, "expected a number or a property: texts and conditions have no order");
        }
    }

    // RocketMQ: SelectorParser.asBooleanExpression. A property by itself is false, because no property is a Java Boolean; or null.
    private static TruthExpression Condition(Sql92Operand operand) => operand.Kind switch
    {
        Sql92OperandKind.Truth => operand.Truth!,
        Sql92OperandKind.Property => new MappedTruth(
            operand.Span,
            OutcomeMap.Of(Outcome.False, Outcome.Null, Outcome.Null, Outcome.Error),
            new MissingTest(operand.Span, operand.Text!)),
        _ => throw new ExpressionSyntaxException(operand.Span.Column, "expected a condition"),
    };

    private static Sql92Operand Truth(TruthExpression truth) =>
        truth.Depth <= FilterLimits.MaxDepth
            ? new Sql92Operand { Span = truth.Span, Kind = Sql92OperandKind.Truth, Truth = truth }
            : throw TooDeep(truth.Span.Column);

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

    private LiteralText Literal()
    {
        SourceSpan span = _lexer.Span;
        if (_lexer.Kind != Sql92TokenKind.Text)
        {
            throw Expected("a text in single quotes");
        }

        var literal = new LiteralText(span, _lexer.Unquoted());
        _lexer.Next();
        return literal;
    }

    private bool Take(Sql92TokenKind kind)
    {
        if (_lexer.Kind != kind)
        {
            return false;
        }

        _lexer.Next();
        return true;
    }

    private void Require(Sql92TokenKind kind, string what)
    {
        if (!Take(kind))
        {
            throw Expected(what);
        }
    }

    private readonly ExpressionSyntaxException Expected(string what) => new(
        _lexer.Span.Column,
        _lexer.Kind == Sql92TokenKind.End ? $"expected {what}, found the end" : $"expected {what}, found '{_lexer.Image}'");
}
