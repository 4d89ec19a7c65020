using GrayMQ.Filtering.Numbers;

namespace GrayMQ.Filtering.Expressions;

/// <summary>Something whose value is a number of HEADER, or none.</summary>
public abstract class NumberExpression : Expression
{
    private protected NumberExpression(SourceSpan span, params ReadOnlySpan<Expression> operands)
        : base(span, operands)
    {
    }
}

public sealed class LiteralNumber(SourceSpan span, FilterNumber value) : NumberExpression(span)
{
    public FilterNumber Value { get; } = value;

    public override IReadOnlyList<Expression> Operands => [];

    private protected override string Write() => Value.ToString();
}

/// <summary>A text read as a number.</summary>
public sealed class ReadNumber(SourceSpan span, TextExpression text) : NumberExpression(span, text)
{
    public TextExpression Text { get; } = text;

    public override IReadOnlyList<Expression> Operands => [Text];

    private protected override string Write() => $"number({Text.Form})";
}

public sealed class ArithmeticNumber(SourceSpan span, ArithmeticOperator operation, NumberExpression left, NumberExpression right)
    : NumberExpression(span, left, right)
{
    public ArithmeticOperator Operation { get; } = operation;

    public NumberExpression Left { get; } = left;

    public NumberExpression Right { get; } = right;

    public override IReadOnlyList<Expression> Operands => [Left, Right];

    private protected override string Write() => $"({Left.Form} {"+-*/%"[(int)Operation]} {Right.Form})";
}

/// <summary>How long a text is, in UTF-16 units.</summary>
public sealed class LengthNumber(SourceSpan span, TextExpression text) : NumberExpression(span, text)
{
    public TextExpression Text { get; } = text;

    public override IReadOnlyList<Expression> Operands => [Text];

    private protected override string Write() => $"length({Text.Form})";
}

/// <summary>Where a text stands in another, in UTF-16 units; -1 when it does not, none when either is missing.</summary>
public sealed class IndexOfNumber(SourceSpan span, TextExpression text, TextExpression part) : NumberExpression(span, text, part)
{
    public TextExpression Text { get; } = text;

    public TextExpression Part { get; } = part;

    public override IReadOnlyList<Expression> Operands => [Text, Part];

    private protected override string Write() => $"indexOf({Text.Form}, {Part.Form})";
}

/// <summary>One number or another.</summary>
public sealed class ChosenNumber(SourceSpan span, TruthExpression condition, NumberExpression then, NumberExpression otherwise)
    : NumberExpression(span, condition, then, otherwise)
{
    public TruthExpression Condition { get; } = condition;

    public NumberExpression Then { get; } = then;

    public NumberExpression Otherwise { get; } = otherwise;

    public override IReadOnlyList<Expression> Operands => [Condition, Then, Otherwise];

    private protected override string Write() => $"({Condition.Form} ? {Then.Form} : {Otherwise.Form})";
}
