using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Evaluation;

/// <summary>
/// Evaluates an expression by walking its tree, straight from a message's property bytes. This is what the expressions mean; the
/// faster ways are held to it.
/// </summary>
public static class TreeEvaluator
{
    public static bool Matches(TruthExpression expression, ReadOnlySpan<byte> properties) =>
        Evaluate(expression, properties) == Outcome.True;

    /// <param name="properties">As stored; see <see cref="PropertyBytes"/>.</param>
    public static Outcome Evaluate(TruthExpression expression, ReadOnlySpan<byte> properties)
    {
        switch (expression)
        {
            case ConstantTruth constant:
                return constant.Value;
            case JunctionTruth junction:
                return EvaluateJunction(junction, properties);
            case MappedTruth mapped:
                return mapped.Map[Evaluate(mapped.Operand, properties)];
            case TruthEquality equality:
                return OutcomeAlgebra.Equal(Evaluate(equality.Left, properties), Evaluate(equality.Right, properties));
            case ChosenTruth chosen:
                Outcome condition = Evaluate(chosen.Condition, properties);
                return condition == Outcome.Error
                    ? Outcome.Error
                    : Evaluate(condition == Outcome.True ? chosen.Then : chosen.Otherwise, properties);
            case MissingTest missing:
                return Operations.IsMissing(Text(missing.Text, properties));
            case TextEquality equality:
                return Operations.TextEquals(
                    Text(equality.Left, properties), Text(equality.Right, properties), equality.IfLeftMissing);
            case TextMembership membership:
                return Operations.IsMember(
                    Text(membership.Text, properties), membership.Values, membership.IsNegated, membership.IfMissing);
            case TextSearch search:
                return Operations.Search(
                    search.Kind, Text(search.Text, properties), Text(search.Part, properties), search.IsNegated);
            case TextOrder order:
                return Operations.TextsInOrder(order.Comparison, Text(order.Left, properties), Text(order.Right, properties));
            case TextPattern pattern:
                return Operations.Fits(Text(pattern.Text, properties), pattern.Regex);
            case TextTruthEquality equality:
                return Operations.TextEqualsTruth(
                    Text(equality.Text, properties), Evaluate(equality.Truth, properties), equality.IfTextMissing);
            case NumberTest test:
                return Operations.TestNumber(
                    test.Reading, Text(test.Text, properties), test.Comparison, test.Value, test.IfMissing, test.IfNoNumber);
            case TextNumberOrder order:
                return Operations.TextNumbersInOrder(
                    order.Comparison, Text(order.Left, properties), Text(order.Right, properties));
            case NumberComparison comparison:
                return Operations.Compare(
                    comparison.Comparison, Number(comparison.Left, properties), Number(comparison.Right, properties));
            default:
                throw Unknown(expression);
        }
    }

    private static Outcome EvaluateJunction(JunctionTruth junction, ReadOnlySpan<byte> properties)
    {
        Outcome decided = OutcomeAlgebra.Of(!junction.IsAnd);
        Outcome result = OutcomeAlgebra.Of(junction.IsAnd);
        foreach (TruthExpression operand in junction.Operands)
        {
            Outcome outcome = Evaluate(operand, properties);
            if (outcome == decided || outcome == Outcome.Error)
            {
                return outcome;
            }

            result = outcome == Outcome.Null ? Outcome.Null : result;
        }

        return result;
    }

    private static TextValue Text(TextExpression expression, ReadOnlySpan<byte> properties)
    {
        switch (expression)
        {
            case PropertyText property:
                return PropertyBytes.TryFind(properties, property.NameUtf8, out ReadOnlySpan<byte> value)
                    ? new TextValue(value)
                    : TextValue.Missing;
            case LiteralText literal:
                return new TextValue(literal.Utf8);
            case MissingText:
                return TextValue.Missing;
            case SubstringText { End: null } rest:
                return Operations.Substring(Text(rest.Text, properties), Number(rest.Begin, properties));
            case SubstringText part:
                return Operations.Substring(
                    Text(part.Text, properties), Number(part.Begin, properties), Number(part.End!, properties));
            case ChosenText chosen:
                return Text(IsTrue(chosen.Condition, properties) ? chosen.Then : chosen.Otherwise, properties);
            default:
                throw Unknown(expression);
        }
    }

    private static FilterNumber Number(NumberExpression expression, ReadOnlySpan<byte> properties)
    {
        switch (expression)
        {
            case LiteralNumber literal:
                return literal.Value;
            case ReadNumber read:
                return Operations.Read(Text(read.Text, properties));
            case ArithmeticNumber arithmetic:
                return FilterNumber.Compute(
                    arithmetic.Operation, Number(arithmetic.Left, properties), Number(arithmetic.Right, properties));
            case LengthNumber length:
                return Operations.Length(Text(length.Text, properties));
            case IndexOfNumber index:
                return Operations.IndexOf(Text(index.Text, properties), Text(index.Part, properties));
            case ChosenNumber chosen:
                return Number(IsTrue(chosen.Condition, properties) ? chosen.Then : chosen.Otherwise, properties);
            default:
                throw Unknown(expression);
        }
    }

    private static bool IsTrue(TruthExpression condition, ReadOnlySpan<byte> properties) =>
        Evaluate(condition, properties) == Outcome.True;

    private static InvalidOperationException Unknown(Expression expression) =>
        new($"there is no way to evaluate a {expression.GetType().Name}");
}
