using GrayMQ.Filtering.Evaluation;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Extraction;

/// <summary>
/// Partial evaluation: works out what can be, with what is known of one property, and leaves the rest. What is left has the same outcomes
/// as the expression for every message that the binding is true of, as far as its context can tell them apart. Parts that nothing
/// changes in are not copied.
/// </summary>
internal sealed class Specializer(PropertyBinding binding)
{
    /// <summary>The residual where only a match counts.</summary>
    public static TruthExpression Residual(TruthExpression expression, PropertyBinding binding) =>
        new Specializer(binding).Apply(expression, OutcomeMap.Match);

    public TruthExpression Apply(TruthExpression expression, OutcomeMap context)
    {
        TruthExpression applied = Rewrite(expression, context);
        if (!applied.UsesProperties && applied is not ConstantTruth)
        {
            applied = new ConstantTruth(applied.Span, TreeEvaluator.Evaluate(applied, default));
        }

        return OutcomeContexts.Single(applied.Possible, context) is not { } value || applied is ConstantTruth known && known.Value == value
            ? applied
            : new ConstantTruth(applied.Span, value);
    }

    private TruthExpression Rewrite(TruthExpression expression, OutcomeMap context)
    {
        switch (expression)
        {
            case ConstantTruth:
                return expression;
            case JunctionTruth junction:
                return RewriteJunction(junction, context);
            case MappedTruth mapped:
                return RewriteMapped(mapped, context);
            case TruthEquality equality:
                TruthExpression left = Apply(equality.Left, OutcomeContexts.OfEqualitySide(isRight: false, context));
                TruthExpression right = Apply(equality.Right, OutcomeContexts.OfEqualitySide(isRight: true, context));
                return left == equality.Left && right == equality.Right ? equality : new TruthEquality(equality.Span, left, right);
            case ChosenTruth chosen:
                return RewriteChoice(chosen, context);
            case NumberTest test:
                TextExpression tested = Text(test.Text);
                return tested == test.Text ? test : test.Of(tested);
            case TextNumberOrder order:
                (TextExpression l, TextExpression r) = (Text(order.Left), Text(order.Right));
                return l == order.Left && r == order.Right ? order : new TextNumberOrder(order.Span, order.Comparison, l, r);
            case NumberComparison comparison:
                (NumberExpression first, NumberExpression second) = (Number(comparison.Left), Number(comparison.Right));
                return first == comparison.Left && second == comparison.Right
                    ? comparison
                    : new NumberComparison(comparison.Span, comparison.Comparison, first, second);
            default:
                return RewriteText(expression, context);
        }
    }

    private TruthExpression RewriteText(TruthExpression expression, OutcomeMap context)
    {
        switch (expression)
        {
            case MissingTest missing:
                TextExpression tested = Text(missing.Text);
                return binding.IsAnyOther(tested) ? Constant(missing, false) : tested == missing.Text ? missing : new MissingTest(missing.Span, tested);
            case TextEquality equality:
                (TextExpression left, TextExpression right) = (Text(equality.Left), Text(equality.Right));
                if ((binding.IsAnyOther(left) && binding.Excludes(right)) || (binding.IsAnyOther(right) && binding.Excludes(left)))
                {
                    return Constant(equality, false);
                }

                return left == equality.Left && right == equality.Right
                    ? equality
                    : new TextEquality(equality.Span, left, right, equality.IfLeftMissing);
            case TextMembership membership:
                TextExpression member = Text(membership.Text);
                return binding.IsAnyOther(member) && membership.Values.Values.All(binding.Excludes) ? Constant(membership, membership.IsNegated)
                    : member == membership.Text ? membership
                    : new TextMembership(membership.Span, member, membership.Values, membership.IsNegated, membership.IfMissing);
            case TextSearch search:
                (TextExpression text, TextExpression part) = (Text(search.Text), Text(search.Part));
                return text == search.Text && part == search.Part
                    ? search
                    : new TextSearch(search.Span, search.Kind, text, part, search.IsNegated);
            case TextOrder order:
                (TextExpression first, TextExpression second) = (Text(order.Left), Text(order.Right));
                return first == order.Left && second == order.Right ? order : new TextOrder(order.Span, order.Comparison, first, second);
            case TextPattern pattern:
                TextExpression fitted = Text(pattern.Text);
                return fitted == pattern.Text ? pattern : new TextPattern(pattern.Span, fitted, pattern.Pattern, pattern.Regex);
            case TextTruthEquality equality:
                TextExpression said = Text(equality.Text);
                TruthExpression truth = Apply(equality.Truth, OutcomeContexts.OfTextTruth(equality.IfTextMissing, context));
                return said == equality.Text && truth == equality.Truth
                    ? equality
                    : new TextTruthEquality(equality.Span, said, truth, equality.IfTextMissing);
            default:
                throw new InvalidOperationException($"there is no way to specialise a {expression.GetType().Name}");
        }
    }

    // True drops out of AND, and nothing behind a false is evaluated; the other way round for OR.
    private TruthExpression RewriteJunction(JunctionTruth junction, OutcomeMap context)
    {
        Outcome neutral = OutcomeAlgebra.Of(junction.IsAnd);
        Outcome decided = OutcomeAlgebra.Of(!junction.IsAnd);
        int count = junction.Operands.Count;
        List<TruthExpression> kept = new(count);
        bool changed = false;
        for (int i = 0; i < count; i++)
        {
            TruthExpression operand = junction.Operands[i];
            TruthExpression applied = Apply(operand, OutcomeContexts.OfOperand(junction.IsAnd, i, count, context));
            changed |= applied != operand;
            if (applied is ConstantTruth constant && constant.Value == neutral)
            {
                continue;
            }

            kept.Add(applied);
            if (applied is ConstantTruth last && (last.Value == decided || last.Value == Outcome.Error))
            {
                changed |= i < count - 1;
                break;
            }
        }

        if (!changed && kept.Count == count)
        {
            return junction;
        }

        return kept.Count switch
        {
            0 => new ConstantTruth(junction.Span, neutral),
            1 => kept[0],
            _ => new JunctionTruth(junction.Span, junction.IsAnd, kept),
        };
    }

    private TruthExpression RewriteMapped(MappedTruth mapped, OutcomeMap context)
    {
        TruthExpression operand = Apply(mapped.Operand, OutcomeContexts.OfMapped(mapped.Map, context));
        switch (operand)
        {
            case MappedTruth inner:
                OutcomeMap both = inner.Map.Then(mapped.Map);
                return both == OutcomeMap.Identity ? inner.Operand : new MappedTruth(mapped.Span, both, inner.Operand);
            case NumberTest test when mapped.Map == OutcomeMap.Not:
                return test.Negated(mapped.Span);
            case TextMembership membership when mapped.Map == OutcomeMap.Not:
                return new TextMembership(
                    mapped.Span, membership.Text, membership.Values, !membership.IsNegated, OutcomeMap.Not[membership.IfMissing]);
            default:
                return operand == mapped.Operand ? mapped : new MappedTruth(mapped.Span, mapped.Map, operand);
        }
    }

    private TruthExpression RewriteChoice(ChosenTruth chosen, OutcomeMap context)
    {
        TruthExpression condition = Apply(chosen.Condition, OutcomeContexts.OfChoice);
        if (condition is ConstantTruth { Value: not Outcome.Error } known)
        {
            return Apply(known.Value == Outcome.True ? chosen.Then : chosen.Otherwise, context);
        }

        TruthExpression then = Apply(chosen.Then, context);
        TruthExpression otherwise = Apply(chosen.Otherwise, context);
        return condition == chosen.Condition && then == chosen.Then && otherwise == chosen.Otherwise
            ? chosen
            : new ChosenTruth(chosen.Span, condition, then, otherwise);
    }

    private TextExpression Text(TextExpression expression)
    {
        switch (expression)
        {
            case PropertyText:
                return binding.Value is { } value && binding.Is(expression) ? value : expression;
            case SubstringText substring:
                TextExpression text = Text(substring.Text);
                NumberExpression begin = Number(substring.Begin);
                NumberExpression? end = substring.End is null ? null : Number(substring.End);
                return text == substring.Text && begin == substring.Begin && end == substring.End
                    ? substring
                    : new SubstringText(substring.Span, text, begin, end);
            case ChosenText chosen:
                TruthExpression condition = Apply(chosen.Condition, OutcomeMap.Match);
                if (condition is ConstantTruth known)
                {
                    return Text(known.Value == Outcome.True ? chosen.Then : chosen.Otherwise);
                }

                (TextExpression then, TextExpression otherwise) = (Text(chosen.Then), Text(chosen.Otherwise));
                return condition == chosen.Condition && then == chosen.Then && otherwise == chosen.Otherwise
                    ? chosen
                    : new ChosenText(chosen.Span, condition, then, otherwise);
            default:
                return expression;
        }
    }

    private NumberExpression Number(NumberExpression expression)
    {
        switch (expression)
        {
            case ReadNumber read:
                TextExpression text = Text(read.Text);
                return text == read.Text ? read : new ReadNumber(read.Span, text);
            case ArithmeticNumber arithmetic:
                (NumberExpression left, NumberExpression right) = (Number(arithmetic.Left), Number(arithmetic.Right));
                return left == arithmetic.Left && right == arithmetic.Right
                    ? arithmetic
                    : new ArithmeticNumber(arithmetic.Span, arithmetic.Operation, left, right);
            case LengthNumber length:
                TextExpression measured = Text(length.Text);
                return measured == length.Text ? length : new LengthNumber(length.Span, measured);
            case IndexOfNumber index:
                (TextExpression whole, TextExpression part) = (Text(index.Text), Text(index.Part));
                return whole == index.Text && part == index.Part ? index : new IndexOfNumber(index.Span, whole, part);
            case ChosenNumber chosen:
                TruthExpression condition = Apply(chosen.Condition, OutcomeMap.Match);
                if (condition is ConstantTruth known)
                {
                    return Number(known.Value == Outcome.True ? chosen.Then : chosen.Otherwise);
                }

                (NumberExpression then, NumberExpression otherwise) = (Number(chosen.Then), Number(chosen.Otherwise));
                return condition == chosen.Condition && then == chosen.Then && otherwise == chosen.Otherwise
                    ? chosen
                    : new ChosenNumber(chosen.Span, condition, then, otherwise);
            default:
                return expression;
        }
    }

    private static ConstantTruth Constant(TruthExpression replaced, bool value) => new(replaced.Span, OutcomeAlgebra.Of(value));
}
