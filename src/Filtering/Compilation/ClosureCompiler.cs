using GrayMQ.Filtering.Evaluation;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Compilation;

/// <summary>
/// Turns an expression into functions that call one another: needs no code at run time, and no walk over the tree. What differs
/// between expressions (which slot, which literal) is bound when the closure is made.
/// </summary>
internal static class ClosureCompiler
{
    private delegate Outcome TruthFunction(ref PropertyReader reader);

    private delegate TextValue TextFunction(ref PropertyReader reader);

    private delegate FilterNumber NumberFunction(ref PropertyReader reader);

    /// <param name="expression">What to compile.</param>
    /// <param name="names">Has every property of the expression.</param>
    public static MessagePredicate Compile(TruthExpression expression, PropertyNames names)
    {
        TruthFunction evaluate = Truth(expression, names);
        return (ref PropertyReader reader) => evaluate(ref reader) == Outcome.True;
    }

    private static TruthFunction Truth(TruthExpression expression, PropertyNames names)
    {
        switch (expression)
        {
            case ConstantTruth constant:
                Outcome value = constant.Value;
                return (ref PropertyReader _) => value;
            case JunctionTruth junction:
                return Junction(junction, names);
            case MappedTruth mapped:
                TruthFunction operand = Truth(mapped.Operand, names);
                OutcomeMap map = mapped.Map;
                return (ref PropertyReader reader) => map[operand(ref reader)];
            case TruthEquality equality:
                TruthFunction left = Truth(equality.Left, names);
                TruthFunction right = Truth(equality.Right, names);
                return (ref PropertyReader reader) => OutcomeAlgebra.Equal(left(ref reader), right(ref reader));
            case ChosenTruth chosen:
                TruthFunction condition = Truth(chosen.Condition, names);
                TruthFunction then = Truth(chosen.Then, names);
                TruthFunction otherwise = Truth(chosen.Otherwise, names);
                return (ref PropertyReader reader) => condition(ref reader) switch
                {
                    Outcome.Error => Outcome.Error,
                    Outcome.True => then(ref reader),
                    _ => otherwise(ref reader),
                };
            case NumberTest or TextNumberOrder or NumberComparison:
                return NumberCondition(expression, names);
            default:
                return TextCondition(expression, names);
        }
    }

    private static TruthFunction Junction(JunctionTruth junction, PropertyNames names)
    {
        TruthFunction[] operands = [.. junction.Operands.Select(operand => Truth(operand, names))];
        Outcome decided = OutcomeAlgebra.Of(!junction.IsAnd);
        Outcome open = OutcomeAlgebra.Of(junction.IsAnd);
        return (ref PropertyReader reader) =>
        {
            Outcome result = open;
            foreach (TruthFunction operand in operands)
            {
                Outcome outcome = operand(ref reader);
                if (outcome == decided || outcome == Outcome.Error)
                {
                    return outcome;
                }

                result = outcome == Outcome.Null ? Outcome.Null : result;
            }

            return result;
        };
    }

    private static TruthFunction NumberCondition(TruthExpression expression, PropertyNames names)
    {
        switch (expression)
        {
            case NumberTest test:
                TextFunction text = Text(test.Text, names);
                return (ref PropertyReader reader) => Operations.TestNumber(
                    test.Reading, text(ref reader), test.Comparison, test.Value, test.IfMissing, test.IfNoNumber);
            case TextNumberOrder order:
                TextFunction first = Text(order.Left, names);
                TextFunction second = Text(order.Right, names);
                return (ref PropertyReader reader) =>
                    Operations.TextNumbersInOrder(order.Comparison, first(ref reader), second(ref reader));
            default:
                var comparison = (NumberComparison)expression;
                NumberFunction left = Number(comparison.Left, names);
                NumberFunction right = Number(comparison.Right, names);
                return (ref PropertyReader reader) =>
                    Operations.Compare(comparison.Comparison, left(ref reader), right(ref reader));
        }
    }

    private static TruthFunction TextCondition(TruthExpression expression, PropertyNames names)
    {
        switch (expression)
        {
            case MissingTest missing:
                TextFunction tested = Text(missing.Text, names);
                return (ref PropertyReader reader) => Operations.IsMissing(tested(ref reader));
            case TextEquality equality:
                TextFunction left = Text(equality.Left, names);
                TextFunction right = Text(equality.Right, names);
                Outcome ifMissing = equality.IfLeftMissing;
                return (ref PropertyReader reader) => Operations.TextEquals(left(ref reader), right(ref reader), ifMissing);
            case TextMembership membership:
                TextFunction member = Text(membership.Text, names);
                return (ref PropertyReader reader) => Operations.IsMember(
                    member(ref reader), membership.Values, membership.IsNegated, membership.IfMissing);
            case TextSearch search:
                TextFunction whole = Text(search.Text, names);
                TextFunction part = Text(search.Part, names);
                return (ref PropertyReader reader) =>
                    Operations.Search(search.Kind, whole(ref reader), part(ref reader), search.IsNegated);
            case TextOrder order:
                TextFunction first = Text(order.Left, names);
                TextFunction second = Text(order.Right, names);
                return (ref PropertyReader reader) =>
                    Operations.TextsInOrder(order.Comparison, first(ref reader), second(ref reader));
            case TextPattern pattern:
                TextFunction fitted = Text(pattern.Text, names);
                return (ref PropertyReader reader) => Operations.Fits(fitted(ref reader), pattern.Regex);
            case TextTruthEquality equality:
                TextFunction said = Text(equality.Text, names);
                TruthFunction truth = Truth(equality.Truth, names);
                return (ref PropertyReader reader) =>
                    Operations.TextEqualsTruth(said(ref reader), truth(ref reader), equality.IfTextMissing);
            default:
                throw Unknown(expression);
        }
    }

    private static TextFunction Text(TextExpression expression, PropertyNames names)
    {
        switch (expression)
        {
            case PropertyText property:
                int slot = names.Find(property.NameUtf8);
                return (ref PropertyReader reader) => reader.Get(slot);
            case LiteralText literal:
                byte[] utf8 = literal.Utf8;
                return (ref PropertyReader _) => new TextValue(utf8);
            case MissingText:
                return static (ref PropertyReader _) => TextValue.Missing;
            case SubstringText substring:
                TextFunction text = Text(substring.Text, names);
                NumberFunction begin = Number(substring.Begin, names);
                if (substring.End is null)
                {
                    return (ref PropertyReader reader) => Operations.Substring(text(ref reader), begin(ref reader));
                }

                NumberFunction end = Number(substring.End, names);
                return (ref PropertyReader reader) => Operations.Substring(text(ref reader), begin(ref reader), end(ref reader));
            case ChosenText chosen:
                TruthFunction condition = Truth(chosen.Condition, names);
                TextFunction then = Text(chosen.Then, names);
                TextFunction otherwise = Text(chosen.Otherwise, names);
                return (ref PropertyReader reader) =>
                    condition(ref reader) == Outcome.True ? then(ref reader) : otherwise(ref reader);
            default:
                throw Unknown(expression);
        }
    }

    private static NumberFunction Number(NumberExpression expression, PropertyNames names)
    {
        switch (expression)
        {
            case LiteralNumber literal:
                FilterNumber value = literal.Value;
                return (ref PropertyReader _) => value;
            case ReadNumber read:
                TextFunction text = Text(read.Text, names);
                return (ref PropertyReader reader) => Operations.Read(text(ref reader));
            case ArithmeticNumber arithmetic:
                NumberFunction left = Number(arithmetic.Left, names);
                NumberFunction right = Number(arithmetic.Right, names);
                ArithmeticOperator operation = arithmetic.Operation;
                return (ref PropertyReader reader) => FilterNumber.Compute(operation, left(ref reader), right(ref reader));
            case LengthNumber length:
                TextFunction measured = Text(length.Text, names);
                return (ref PropertyReader reader) => Operations.Length(measured(ref reader));
            case IndexOfNumber index:
                TextFunction whole = Text(index.Text, names);
                TextFunction part = Text(index.Part, names);
                return (ref PropertyReader reader) => Operations.IndexOf(whole(ref reader), part(ref reader));
            case ChosenNumber chosen:
                TruthFunction condition = Truth(chosen.Condition, names);
                NumberFunction then = Number(chosen.Then, names);
                NumberFunction otherwise = Number(chosen.Otherwise, names);
                return (ref PropertyReader reader) =>
                    condition(ref reader) == Outcome.True ? then(ref reader) : otherwise(ref reader);
            default:
                throw Unknown(expression);
        }
    }

    private static InvalidOperationException Unknown(Expression expression) =>
        new($"there is no way to compile a {expression.GetType().Name}");
}
