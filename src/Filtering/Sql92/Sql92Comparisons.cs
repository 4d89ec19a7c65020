using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Sql92;

/// <summary>
/// What RocketMQ's comparisons mean for operands of each type. Its rules, from ComparisonExpression: with <c>=</c> both sides are evaluated;
/// two nulls are equal, a null on the left makes it null and one on the right false; a text is converted to the type of the other side, and
/// when it cannot be, the evaluation ends. The order of a null is null.
/// </summary>
internal static class Sql92Comparisons
{
    public static TruthExpression Equal(SourceSpan span, Sql92Operand left, Sql92Operand right)
    {
        switch (left.Kind, right.Kind)
        {
            case (Sql92OperandKind.Property or Sql92OperandKind.Text, Sql92OperandKind.Property or Sql92OperandKind.Text):
                return new TextEquality(span, left.Text!, right.Text!, Outcome.Null);
            case (Sql92OperandKind.Property or Sql92OperandKind.Text, Sql92OperandKind.Number):
                return Test(span, left.Text!, ComparisonOperator.Equal, right, Outcome.Null);
            case (Sql92OperandKind.Number, Sql92OperandKind.Property or Sql92OperandKind.Text):
                return Test(span, right.Text!, ComparisonOperator.Equal, left, Outcome.False);
            case (Sql92OperandKind.Number, Sql92OperandKind.Number):
                return new ConstantTruth(span, OutcomeAlgebra.Of(Order(left, right) == 0));

            // A number and a condition are never the same, whatever the condition says.
            case (Sql92OperandKind.Number, _):
                return new MappedTruth(
                    span, OutcomeMap.Of(Outcome.False, Outcome.False, Outcome.False, Outcome.Error), AsTruth(right));
            case (_, Sql92OperandKind.Number):
                return new MappedTruth(
                    span, OutcomeMap.Of(Outcome.False, Outcome.False, Outcome.Null, Outcome.Error), AsTruth(left));

            case (Sql92OperandKind.Property or Sql92OperandKind.Text, _):
                return new TextTruthEquality(span, left.Text!, AsTruth(right), Outcome.Null);

            // Java casts the condition to a text here, which fails: only nulls get through.
            case (_, Sql92OperandKind.Property or Sql92OperandKind.Text):
                return new ChosenTruth(
                    span,
                    new MissingTest(span, right.Text!),
                    new MappedTruth(span, OutcomeMap.Of(Outcome.False, Outcome.False, Outcome.True, Outcome.Error), AsTruth(left)),
                    new MappedTruth(span, OutcomeMap.Of(Outcome.Error, Outcome.Error, Outcome.Null, Outcome.Error), AsTruth(left)));
            default:
                return new TruthEquality(span, AsTruth(left), AsTruth(right));
        }
    }

    public static TruthExpression NotEqual(SourceSpan span, Sql92Operand left, Sql92Operand right) =>
        Not(span, Equal(span, left, right));

    /// <param name="comparison">One of the four of order.</param>
    /// <param name="left">No condition, and no text but that of a property.</param>
    /// <param name="right">As <paramref name="left"/>.</param>
    public static TruthExpression InOrder(SourceSpan span, ComparisonOperator comparison, Sql92Operand left, Sql92Operand right)
    {
        switch (left.Kind, right.Kind)
        {
            case (Sql92OperandKind.Null, _):
                return AsTruth(left);
            case (Sql92OperandKind.Property, Sql92OperandKind.Null):
                return new ChosenTruth(
                    span, new MissingTest(span, left.Text!), new ConstantTruth(span, Outcome.Null), AsTruth(right));
            case (_, Sql92OperandKind.Null):
                return AsTruth(right);
            case (Sql92OperandKind.Property, Sql92OperandKind.Property):
                return new TextNumberOrder(span, comparison, left.Text!, right.Text!);
            case (Sql92OperandKind.Property, _):
                return Test(span, left.Text!, comparison, right, Outcome.Null);
            case (_, Sql92OperandKind.Property):
                return Test(span, right.Text!, comparison.Mirrored(), left, Outcome.Null);
            default:
                return new ConstantTruth(span, OutcomeAlgebra.Of(comparison.Holds(Order(left, right))));
        }
    }

    /// <summary>Two numbers as Java compares them: as doubles where one of them is.</summary>
    public static int Order(Sql92Operand left, Sql92Operand right) =>
        left.Reading == NumberReading.JavaDouble || right.Reading == NumberReading.JavaDouble
            ? AsDouble(left).CompareTo(AsDouble(right))
            : left.Whole.CompareTo(right.Whole);

    public static TruthExpression IsNull(SourceSpan span, Sql92Operand operand) => operand.Kind switch
    {
        Sql92OperandKind.Property or Sql92OperandKind.Text => new MissingTest(span, operand.Text!),
        Sql92OperandKind.Number => new ConstantTruth(span, Outcome.False),
        _ => new MappedTruth(span, OutcomeMap.IsNull, AsTruth(operand)),
    };

    public static TruthExpression Search(SourceSpan span, TextSearchKind kind, Sql92Operand operand, LiteralText part, bool isNegated)
    {
        // Nothing is found in what is no text, and looking for nothing finds nothing, with NOT as without.
        if (part.Utf8.Length == 0 || operand.Kind == Sql92OperandKind.Number)
        {
            return new ConstantTruth(span, Outcome.False);
        }

        return operand.Kind is Sql92OperandKind.Property or Sql92OperandKind.Text
            ? new TextSearch(span, kind, operand.Text!, part, isNegated)
            : new MappedTruth(span, OutcomeMap.Of(Outcome.False, Outcome.False, Outcome.False, Outcome.Error), AsTruth(operand));
    }

    public static TruthExpression Not(SourceSpan span, TruthExpression condition) => new MappedTruth(span, OutcomeMap.Not, condition);

    private static NumberTest Test(
        SourceSpan span, TextExpression text, ComparisonOperator comparison, Sql92Operand number, Outcome ifMissing) =>
        new(span, number.Reading, text, comparison, number.Key, number.NumberForm, ifMissing, Outcome.Error);

    private static NumberKey AsDouble(Sql92Operand number) =>
        NumberKey.OfJavaDouble(number.Reading == NumberReading.JavaDouble ? number.Fraction : number.Whole);

    // A null that comes from negating a condition is null, unless evaluating the condition fails.
    private static TruthExpression AsTruth(Sql92Operand operand) =>
        operand.Kind == Sql92OperandKind.Truth ? operand.Truth!
        : operand.Truth is null ? new ConstantTruth(operand.Span, Outcome.Null)
        : new MappedTruth(operand.Span, OutcomeMap.Of(Outcome.Null, Outcome.Null, Outcome.Null, Outcome.Error), operand.Truth);
}
