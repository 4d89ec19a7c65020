using System.Text;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Expressions;

/// <summary>A text, read as a number in one way, compared with a number that is known.</summary>
public sealed class NumberTest : TruthExpression
{
    public NumberTest(
        SourceSpan span,
        NumberReading reading,
        TextExpression text,
        ComparisonOperator comparison,
        NumberKey value,
        string valueForm,
        Outcome ifMissing,
        Outcome ifNoNumber)
        : base(span, OutcomeSet.TrueOrFalse | ifMissing.ToSet() | ifNoNumber.ToSet(), text)
    {
        Reading = reading;
        Text = text;
        Comparison = comparison;
        Value = value;
        ValueForm = valueForm;
        IfMissing = ifMissing;
        IfNoNumber = ifNoNumber;
    }

    public NumberReading Reading { get; }

    public TextExpression Text { get; }

    public ComparisonOperator Comparison { get; }

    public NumberKey Value { get; }

    /// <summary>The number as it is shown.</summary>
    public string ValueForm { get; }

    public Outcome IfMissing { get; }

    public Outcome IfNoNumber { get; }

    public override IReadOnlyList<Expression> Operands => [Text];

    /// <summary>NOT of this, which is a comparison as well.</summary>
    public NumberTest Negated(SourceSpan span) => new(
        span, Reading, Text, Comparison.Negated(), Value, ValueForm, OutcomeMap.Not[IfMissing], OutcomeMap.Not[IfNoNumber]);

    /// <summary>The same question about another text.</summary>
    public NumberTest Of(TextExpression text) => new(Span, Reading, text, Comparison, Value, ValueForm, IfMissing, IfNoNumber);

    internal override void Write(StringBuilder form)
    {
        string reading = Reading switch
        {
            NumberReading.Int32 => "int",
            NumberReading.Int64 => "long",
            NumberReading.JavaDouble => "double",
            _ => "number",
        };
        Put(
            form,
            $"({reading}({Text}) {Comparison.Symbol()} {ValueForm}{Unless("missing", IfMissing)}{Unless("no number", IfNoNumber)})");
    }
}

/// <summary>
/// SQL92's order of two texts: both are read as Java reads doubles. Missing ones make it null, what is no number an error.
/// </summary>
public sealed class TextNumberOrder(SourceSpan span, ComparisonOperator comparison, TextExpression left, TextExpression right)
    : TruthExpression(span, OutcomeSet.All, left, right)
{
    public ComparisonOperator Comparison { get; } = comparison;

    public TextExpression Left { get; } = left;

    public TextExpression Right { get; } = right;

    public override IReadOnlyList<Expression> Operands => [Left, Right];

    internal override void Write(StringBuilder form) => Put(form, $"(double({Left}) {Comparison.Symbol()} double({Right}))");
}

/// <summary>HEADER's comparison of two numbers; false where either is none.</summary>
public sealed class NumberComparison(SourceSpan span, ComparisonOperator comparison, NumberExpression left, NumberExpression right)
    : TruthExpression(span, OutcomeSet.TrueOrFalse, left, right)
{
    public ComparisonOperator Comparison { get; } = comparison;

    public NumberExpression Left { get; } = left;

    public NumberExpression Right { get; } = right;

    public override IReadOnlyList<Expression> Operands => [Left, Right];

    internal override void Write(StringBuilder form) => Put(form, $"({Left} {Comparison.Symbol()} {Right})");
}
