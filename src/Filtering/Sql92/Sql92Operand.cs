using System.Globalization;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Numbers;

namespace GrayMQ.Filtering.Sql92;

/// <summary>
/// What stands on one side of an operator, with the type that RocketMQ's expression classes would find in it at run time. Every type is
/// known when parsing, because properties are always texts.
/// </summary>
internal readonly record struct Sql92Operand
{
    public required SourceSpan Span { get; init; }

    public required Sql92OperandKind Kind { get; init; }

    /// <summary>Written as a literal: some checks of the parser look at literals only, and not at their negation.</summary>
    public bool IsLiteral { get; init; }

    /// <summary>Of a property or a text.</summary>
    public TextExpression? Text { get; init; }

    /// <summary>Of a condition; of a null that comes from negating a condition, the condition.</summary>
    public TruthExpression? Truth { get; init; }

    /// <summary>Of a number: how texts are read that are compared with it.</summary>
    public NumberReading Reading { get; init; }

    public long Whole { get; init; }

    public double Fraction { get; init; }

    public NumberKey Key => Reading == NumberReading.JavaDouble ? NumberKey.OfJavaDouble(Fraction) : NumberKey.OfWhole(Whole);

    public string NumberForm => Reading == NumberReading.JavaDouble
        ? Fraction.ToString("R", CultureInfo.InvariantCulture)
        : Whole.ToString(CultureInfo.InvariantCulture);

    public Sql92Operand At(SourceSpan span) => this with { Span = span };
}

internal enum Sql92OperandKind
{
    Property,
    Text,
    Number,
    Truth,

    /// <summary>Always null: the negation of what is no number.</summary>
    Null,
}
