using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Extraction;
using GrayMQ.Filtering.Outcomes;

namespace GrayMQ.Filtering.Indexes;

/// <summary>
/// Makes the clauses of an expression: one or more for each value of the indexed property, which begin with the condition that it has that
/// value, and those for any other value and for none, which begin with the condition that it has none of them.
/// </summary>
internal static class ClauseBuilder
{
    public static List<Condition[]> Build(FilterExpression expression, IReadOnlyList<string> indexedProperties, Vocabulary vocabulary)
    {
        var clauses = new List<Condition[]>();
        foreach (string property in indexedProperties)
        {
            if (expression.PropertyNames.Find(property) >= 0 && PropertyExtraction.Of(expression.Root, property) is { } extraction)
            {
                Add(clauses, extraction, vocabulary);
                return clauses;
            }
        }

        Add(clauses, null, Specializer.Residual(expression.Root, PropertyBinding.None), vocabulary);
        return clauses;
    }

    private static void Add(List<Condition[]> clauses, PropertyExtraction extraction, Vocabulary vocabulary)
    {
        var property = new PropertyText(default, extraction.Property);
        foreach (ValueResidual value in extraction.Values)
        {
            Add(clauses, new TextEquality(default, property, new LiteralText(default, value.Value), Outcome.False), value.Residual, vocabulary);
        }

        if (extraction.AnyOther is ConstantTruth { Value: not Outcome.True } && extraction.Missing is ConstantTruth { Value: not Outcome.True })
        {
            return;
        }

        var values = new TextSet(extraction.Values.Select(value => value.Value));
        if (IsSame(extraction.AnyOther, extraction.Missing))
        {
            TruthExpression? guard = values.Values.Count == 0
                ? null
                : new TextMembership(default, property, values, isNegated: true, ifMissing: Outcome.True);
            Add(clauses, guard, extraction.AnyOther, vocabulary);
            return;
        }

        TruthExpression present = values.Values.Count == 0
            ? new MappedTruth(default, OutcomeMap.Not, new MissingTest(default, property))
            : new TextMembership(default, property, values, isNegated: true, ifMissing: Outcome.False);
        Add(clauses, present, extraction.AnyOther, vocabulary);
        Add(clauses, new MissingTest(default, property), extraction.Missing, vocabulary);
    }

    private static void Add(List<Condition[]> clauses, TruthExpression? guard, TruthExpression residual, Vocabulary vocabulary)
    {
        foreach (List<TruthExpression> conditions in ClauseSplitter.Split(
            residual, static condition => Access.Of(condition).Kind != AccessKind.None))
        {
            Condition[] clause = new Condition[conditions.Count + (guard is null ? 0 : 1)];
            int at = 0;
            if (guard is not null)
            {
                clause[at++] = vocabulary.Get(guard);
            }

            foreach (TruthExpression condition in conditions)
            {
                clause[at++] = vocabulary.Get(condition);
            }

            if (!clauses.Exists(other => other.AsSpan().SequenceEqual(clause)))
            {
                clauses.Add(clause);
            }
        }
    }

    private static bool IsSame(TruthExpression left, TruthExpression right) =>
        left is ConstantTruth l && right is ConstantTruth r ? l.Value == r.Value : left.Form == right.Form;
}
