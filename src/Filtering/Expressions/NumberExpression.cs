using System.Text;
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

    internal override void Write(StringBuilder form) => form.Append(Value.ToString());
}

/// <summary>A text read as a number.</summary>
public sealed class ReadNumber(SourceSpan span, TextExpression text) : NumberExpression(span, text)
{
    public TextExpression Text { get; } = text;

    public override IReadOnlyList<Expression> Operands => [Text];

    internal override void Write(StringBuilder form) => Put(form, $"number({Text})");
}

public sealed class ArithmeticNumber(SourceSpan span, ArithmeticOperator operation, NumberExpression left, NumberExpression right)
    : NumberExpression(span, left, right)
{
    public ArithmeticOperator Operation { get; } = operation;

    public NumberExpression Left { get; } = left;

    public NumberExpression Right { get; } = right;

    public override IReadOnlyList<Expression> Operands => [Left, Right];

    internal override void Write(StringBuilder form) => Put(form, $"({Left} {"+-*/%"[(int)Operation]} {Right})");
}

/// <summary>How long a text is, in UTF-16 units.</summary>
public sealed class LengthNumber(SourceSpan span, TextExpression text) : NumberExpression(span, text)
{
    public TextExpression Text { get; } = text;

    public override IReadOnlyList<Expression> Operands => [Text];

    internal override void Write(StringBuilder form) => Put(form, $"length({Text})");
}

/// <summary>Where a text stands in another, in UTF-16 units; -1 when it does not, none when either is missing.</summary>
public sealed class IndexOfNumber(SourceSpan span, TextExpression text, TextExpression part) : NumberExpression(span, text, part)
{
    public TextExpression Text { get; } = text;

    public TextExpression Part { get; } = part;

    public override IReadOnlyList<Expression> Operands => [Text, Part];

    internal override void Write(StringBuilder form) => Put(form, $"indexOf({Text}, {Part})");
}

/// <summary>One number or another.</summary>
public sealed class ChosenNumber(SourceSpan span, TruthExpression condition, NumberExpression then, NumberExpression otherwise)
    : NumberExpression(span, condition, then, otherwise)
{
    public TruthExpression Condition { get; } = condition;

    public NumberExpression Then { get; } = then;

    public NumberExpression Otherwise { get; } = otherwise;

    public override IReadOnlyList<Expression> Operands => [Condition, Then, Otherwise];

    internal override void Write(StringBuilder form) => Put(form, $"({Condition} ? {Then} : {Otherwise})");
}
