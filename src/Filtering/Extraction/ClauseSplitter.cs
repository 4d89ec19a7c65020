using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Extraction;

/// <summary>
/// Takes an expression apart, where only a match counts, into clauses: a message matches when all conditions of one clause are true. An OR
/// makes more clauses only where each of them can be looked up; else it stays one condition.
/// </summary>
internal static class ClauseSplitter
{
    /// <summary>Clauses that one expression becomes at most.</summary>
    public const int MaxClauses = 32;

    /// <param name="expression">Specialised, so that nothing constant is left within.</param>
    /// <param name="canBeFound">Whether an index can find a condition by the value that it asks for.</param>
    /// <returns>None when nothing matches. A clause without conditions matches everything.</returns>
    public static List<List<TruthExpression>> Split(TruthExpression expression, Func<TruthExpression, bool> canBeFound)
    {
        var conditions = new List<TruthExpression>();
        if (!TryFlatten(expression, conditions))
        {
            return [];
        }

        var clauses = new List<List<TruthExpression>>();
        return TrySplit(conditions, canBeFound, clauses) ? clauses : [conditions];
    }

    // False: the budget is used up, or a clause would have nothing to be found by.
    private static bool TrySplit(
        List<TruthExpression> conditions, Func<TruthExpression, bool> canBeFound, List<List<TruthExpression>> clauses)
    {
        if (conditions.Count == 0 || conditions.Exists(condition => canBeFound(condition)))
        {
            clauses.Add(conditions);
            return clauses.Count <= MaxClauses;
        }

        int at = conditions.FindIndex(condition => condition is JunctionTruth { IsAnd: false });
        if (at < 0)
        {
            return false;
        }

        var choice = (JunctionTruth)conditions[at];
        for (int i = 0; i < choice.Operands.Count; i++)
        {
            List<TruthExpression> clause = [.. conditions[..at], .. conditions[(at + 1)..]];

            // What is on the left must not have ended the evaluation.
            for (int left = 0; left < i; left++)
            {
                if (choice.Operands[left].Possible.Has(Outcome.Error))
                {
                    clause.Add(new MappedTruth(choice.Span, OutcomeMap.NoError, choice.Operands[left]));
                }
            }

            if (TryFlatten(choice.Operands[i], clause) && !TrySplit(clause, canBeFound, clauses))
            {
                return false;
            }
        }

        return true;
    }

    // Where only a match counts, the order of conditions that all have to be true does not, and neither does what they are when they are
    // not true. False: they cannot all be.
    private static bool TryFlatten(TruthExpression expression, List<TruthExpression> conditions)
    {
        switch (expression)
        {
            case ConstantTruth constant:
                return constant.Value == Outcome.True;
            case JunctionTruth { IsAnd: true } all:
                return all.Operands.All(operand => TryFlatten(operand, conditions));
            case MappedTruth { Operand: JunctionTruth { IsAnd: false } none } not when not.Map == OutcomeMap.Not:
                return none.Operands.All(operand => TryFlatten(Negate(operand), conditions));
            case MappedTruth { Operand: MappedTruth inner } outer when outer.Map == OutcomeMap.Not && inner.Map == OutcomeMap.Not:
                return TryFlatten(inner.Operand, conditions);
            default:
                conditions.Add(expression);
                return true;
        }
    }

    private static TruthExpression Negate(TruthExpression expression) => expression switch
    {
        NumberTest test => test.Negated(test.Span),
        TextMembership membership => new TextMembership(
            membership.Span, membership.Text, membership.Values, !membership.IsNegated, OutcomeMap.Not[membership.IfMissing]),
        _ => new MappedTruth(expression.Span, OutcomeMap.Not, expression),
    };
}
