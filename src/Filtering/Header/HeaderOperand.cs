using GrayMQ.Filtering.Expressions;

namespace GrayMQ.Filtering.Header;

/// <summary>What stands on one side of an operator: exactly one of text, number and condition, or nil.</summary>
internal readonly record struct HeaderOperand
{
    public required SourceSpan Span { get; init; }

    public TextExpression? Text { get; init; }

    public NumberExpression? Number { get; init; }

    public TruthExpression? Truth { get; init; }

    public bool IsNil => Text is MissingText;

    /// <summary>Whether the value is only known with the message, so that it is read as what it is compared with.</summary>
    public bool IsOpen => Text is not null and not LiteralText and not MissingText;

    /// <summary>What it is, for people.</summary>
    public string Kind => Truth is not null ? "a condition" : Number is not null ? "a number" : IsNil ? "nil" : "a text";

    public static HeaderOperand Of(TextExpression text) => new() { Span = text.Span, Text = text };

    public static HeaderOperand Of(NumberExpression number) => new() { Span = number.Span, Number = number };

    public static HeaderOperand Of(TruthExpression truth) => new() { Span = truth.Span, Truth = truth };

    public HeaderOperand At(SourceSpan span) => this with { Span = span };
}
