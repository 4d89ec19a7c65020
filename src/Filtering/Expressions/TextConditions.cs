using System.Text;
using System.Text.RegularExpressions;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Expressions;

/// <summary>Whether a text is missing.</summary>
public sealed class MissingTest(SourceSpan span, TextExpression text) : TruthExpression(span, OutcomeSet.TrueOrFalse, text)
{
    public TextExpression Text { get; } = text;

    public override IReadOnlyList<Expression> Operands => [Text];

    internal override void Write(StringBuilder form) => Put(form, $"missing({Text})");
}

/// <summary>Whether two texts are the same, byte by byte; two that are missing are.</summary>
public sealed class TextEquality(SourceSpan span, TextExpression left, TextExpression right, Outcome ifLeftMissing)
    : TruthExpression(span, OutcomeSet.TrueOrFalse | ifLeftMissing.ToSet(), left, right)
{
    public TextExpression Left { get; } = left;

    public TextExpression Right { get; } = right;

    /// <summary>The outcome where the left is missing and the right is not; false where only the right is.</summary>
    public Outcome IfLeftMissing { get; } = ifLeftMissing;

    public override IReadOnlyList<Expression> Operands => [Left, Right];

    internal override void Write(StringBuilder form) => Put(form, $"({Left} == {Right}{Unless("missing", IfLeftMissing)})");
}

/// <summary>Whether a text is one of a list.</summary>
public sealed class TextMembership(SourceSpan span, TextExpression text, TextSet values, bool isNegated, Outcome ifMissing)
    : TruthExpression(span, OutcomeSet.TrueOrFalse | ifMissing.ToSet(), text)
{
    public TextExpression Text { get; } = text;

    public TextSet Values { get; } = values;

    public bool IsNegated { get; } = isNegated;

    public Outcome IfMissing { get; } = ifMissing;

    public override IReadOnlyList<Expression> Operands => [Text];

    internal override void Write(StringBuilder form) =>
        Put(form, $"({Text} {(IsNegated ? "not in" : "in")} {Values.ToString()}{Unless("missing", IfMissing)})");
}

/// <summary>Whether a text contains, starts with or ends with another; false where either is missing, negated or not.</summary>
public sealed class TextSearch(SourceSpan span, TextSearchKind kind, TextExpression text, TextExpression part, bool isNegated)
    : TruthExpression(span, OutcomeSet.TrueOrFalse, text, part)
{
    public TextSearchKind Kind { get; } = kind;

    public TextExpression Text { get; } = text;

    public TextExpression Part { get; } = part;

    public bool IsNegated { get; } = isNegated;

    public override IReadOnlyList<Expression> Operands => [Text, Part];

    internal override void Write(StringBuilder form) => Put(form, $"({Text} {(IsNegated ? "not " : "")}{Kind.ToString()} {Part})");
}

public enum TextSearchKind : byte
{
    Contains,
    StartsWith,
    EndsWith,
}

/// <summary>The order of two texts, by their bytes; false where either is missing.</summary>
public sealed class TextOrder(SourceSpan span, ComparisonOperator comparison, TextExpression left, TextExpression right)
    : TruthExpression(span, OutcomeSet.TrueOrFalse, left, right)
{
    public ComparisonOperator Comparison { get; } = comparison;

    public TextExpression Left { get; } = left;

    public TextExpression Right { get; } = right;

    public override IReadOnlyList<Expression> Operands => [Left, Right];

    internal override void Write(StringBuilder form) => Put(form, $"({Left} {Comparison.Symbol()} {Right})");
}

/// <summary>Whether a pattern fits all of a text; false where it is missing.</summary>
public sealed class TextPattern(SourceSpan span, TextExpression text, string pattern, Regex regex)
    : TruthExpression(span, OutcomeSet.TrueOrFalse, text)
{
    public TextExpression Text { get; } = text;

    /// <summary>As it was written.</summary>
    public string Pattern { get; } = pattern;

    public Regex Regex { get; } = regex;

    public override IReadOnlyList<Expression> Operands => [Text];

    internal override void Write(StringBuilder form) => Put(form, $"({Text} =~ {LiteralText.Quote(Pattern)})");
}

/// <summary>
/// A text compared with a condition: it says true, in whatever case, or anything else, which is false. Two that are missing or
/// null are equal.
/// </summary>
public sealed class TextTruthEquality(SourceSpan span, TextExpression text, TruthExpression truth, Outcome ifTextMissing)
    : TruthExpression(span, OutcomeSet.TrueOrFalse | ifTextMissing.ToSet() | (truth.Possible & OutcomeSet.Error), text, truth)
{
    public TextExpression Text { get; } = text;

    public TruthExpression Truth { get; } = truth;

    /// <summary>The outcome where the text is missing and the condition is not null; false where only the condition is null.</summary>
    public Outcome IfTextMissing { get; } = ifTextMissing;

    public override IReadOnlyList<Expression> Operands => [Text, Truth];

    internal override void Write(StringBuilder form) => Put(form, $"({Text} == {Truth}{Unless("missing", IfTextMissing)})");
}
