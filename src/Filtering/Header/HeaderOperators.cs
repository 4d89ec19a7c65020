using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Header;

/// <summary>
/// What HEADER's operators mean for operands of each type. A property is read as what it is compared with: as a number, as true or false
/// (whether it says <c>true</c>), else as the text that it is. What is missing or no number makes comparisons of numbers and of order
/// false; as a text, what is missing equals nil only. There is no third truth value.
/// </summary>
internal static class HeaderOperators
{
    public static TruthExpression Equality(SourceSpan span, HeaderOperand left, HeaderOperand right, bool isNegated)
    {
        if (left.Number is not null || right.Number is not null)
        {
            return Compare(span, isNegated ? ComparisonOperator.NotEqual : ComparisonOperator.Equal, left, right);
        }

        TruthExpression equality;
        if (left.Truth is not null && right.Truth is not null)
        {
            equality = new TruthEquality(span, left.Truth, right.Truth);
        }
        else if ((left.Truth ?? right.Truth) is { } truth)
        {
            HeaderOperand other = left.Truth is null ? left : right;
            equality = other.IsOpen
                ? new TextTruthEquality(span, other.Text!, truth, Outcome.False)
                : throw Unexpected(other, "a property or a condition");
        }
        else if (left.IsNil || right.IsNil)
        {
            equality = new MissingTest(span, left.IsNil ? right.Text! : left.Text!);
        }
        else
        {
            equality = new TextEquality(span, left.Text!, right.Text!, Outcome.False);
        }

        return isNegated ? Not(span, equality) : equality;
    }

    public static TruthExpression Order(SourceSpan span, ComparisonOperator comparison, HeaderOperand left, HeaderOperand right)
    {
        foreach (HeaderOperand operand in (ReadOnlySpan<HeaderOperand>)[left, right])
        {
            if (operand.IsNil || operand.Truth is not null)
            {
                throw Unexpected(operand, "a number or a text");
            }
        }

        return left.Number is not null || right.Number is not null
            ? Compare(span, comparison, left, right)
            : new TextOrder(span, comparison, left.Text!, right.Text!);
    }

    public static NumberExpression Compute(SourceSpan span, ArithmeticOperator operation, NumberExpression left, NumberExpression right) =>
        left is LiteralNumber l && right is LiteralNumber r
            ? new LiteralNumber(span, FilterNumber.Compute(operation, l.Value, r.Value))
            : new ArithmeticNumber(span, operation, left, right);

    public static HeaderOperand Choose(SourceSpan span, TruthExpression condition, HeaderOperand then, HeaderOperand otherwise)
    {
        if (then.Truth is not null || otherwise.Truth is not null)
        {
            return HeaderOperand.Of(new ChosenTruth(span, condition, Condition(then), Condition(otherwise)));
        }

        return then.Number is not null || otherwise.Number is not null
            ? HeaderOperand.Of(new ChosenNumber(span, condition, Number(then), Number(otherwise)))
            : HeaderOperand.Of(new ChosenText(span, condition, then.Text!, otherwise.Text!));
    }

    public static TruthExpression Not(SourceSpan span, TruthExpression condition) => new MappedTruth(span, OutcomeMap.Not, condition);

    /// <summary>A property by itself is true when it says so.</summary>
    public static TruthExpression Condition(HeaderOperand operand) =>
        operand.Truth
        ?? (operand.IsOpen
            ? new TextTruthEquality(operand.Span, operand.Text!, new ConstantTruth(operand.Span, Outcome.True), Outcome.False)
            : throw Unexpected(operand, "a condition"));

    public static NumberExpression Number(HeaderOperand operand) =>
        operand.Number
        ?? (operand.IsOpen ? new ReadNumber(operand.Span, operand.Text!) : throw Unexpected(operand, "a number or a property"));

    public static TextExpression Text(HeaderOperand operand) =>
        operand.Text is { } text && !operand.IsNil ? text : throw Unexpected(operand, "a text or a property");

    private static TruthExpression Compare(SourceSpan span, ComparisonOperator comparison, HeaderOperand left, HeaderOperand right)
    {
        NumberExpression l = Number(left);
        NumberExpression r = Number(right);
        return (l, r) switch
        {
            (LiteralNumber { Value.IsNumber: false }, _) or (_, LiteralNumber { Value.IsNumber: false }) =>
                new ConstantTruth(span, Outcome.False),
            (ReadNumber read, LiteralNumber literal) => Test(span, comparison, read, literal),
            (LiteralNumber literal, ReadNumber read) => Test(span, comparison.Mirrored(), read, literal),
            _ => new NumberComparison(span, comparison, l, r),
        };
    }

    private static NumberTest Test(SourceSpan span, ComparisonOperator comparison, ReadNumber read, LiteralNumber literal) =>
        new(span, NumberReading.Decimal, read.Text, comparison, literal.Value.Key, literal.Value.ToString(), Outcome.False, Outcome.False);

    private static ExpressionSyntaxException Unexpected(HeaderOperand operand, string what) =>
        new(operand.Span.Column, $"expected {what}, found {operand.Kind}");
}
