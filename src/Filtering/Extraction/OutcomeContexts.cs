using GrayMQ.Filtering.Evaluation;
using GrayMQ.Filtering.Outcomes;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Extraction;

/// <summary>
/// Which outcomes of a part make a difference for the whole. A context maps each outcome to one that stands for all that may be
/// exchanged for it: where only a match counts, false stands for null and error; on the left of an OR, an error is something of its own,
/// because it ends the evaluation. What is worked out here from the tables of AND, OR and the rest is what makes it safe to drop parts.
/// </summary>
internal static class OutcomeContexts
{
    private static readonly Func<Outcome, Outcome, Outcome>[] Combinations = [OutcomeAlgebra.Or, OutcomeAlgebra.And, OutcomeAlgebra.Equal];

    // By combination, side and context.
    private static readonly KnownContext?[,,] Known = new KnownContext?[3, 2, 256];

    /// <summary>The context of one operand of an AND or OR.</summary>
    public static OutcomeMap OfOperand(bool isAnd, int index, int count, OutcomeMap whole)
    {
        int combination = isAnd ? 1 : 0;
        OutcomeMap context = index < count - 1 ? OfSide(combination, isRight: false, whole) : whole;
        return index > 0 ? OfSide(combination, isRight: true, context) : context;
    }

    /// <summary>The context of one side of an equality of conditions.</summary>
    public static OutcomeMap OfEqualitySide(bool isRight, OutcomeMap whole) => OfSide(2, isRight, whole);

    public static OutcomeMap OfMapped(OutcomeMap map, OutcomeMap whole) =>
        Partition(outcome => (int)whole[map[outcome]]);

    /// <summary>The context of a condition that chooses: null chooses as false does.</summary>
    public static OutcomeMap OfChoice { get; } = OutcomeMap.Of(Outcome.False, Outcome.True, Outcome.False, Outcome.Error);

    /// <summary>The context of the condition that a text is compared with.</summary>
    public static OutcomeMap OfTextTruth(Outcome ifTextMissing, OutcomeMap whole) => Partition(outcome =>
        (int)whole[Operations.TextEqualsTruth(TextValue.Missing, outcome, ifTextMissing)]
        | ((int)whole[Operations.TextEqualsTruth(new TextValue("true"u8), outcome, ifTextMissing)] << 2)
        | ((int)whole[Operations.TextEqualsTruth(new TextValue("false"u8), outcome, ifTextMissing)] << 4));

    /// <summary>The outcome that stands for all of <paramref name="possible"/>; null when they make a difference.</summary>
    public static Outcome? Single(OutcomeSet possible, OutcomeMap context)
    {
        OutcomeSet told = context.Of(possible);
        for (Outcome outcome = Outcome.False; outcome <= Outcome.Error; outcome++)
        {
            if (told == outcome.ToSet())
            {
                return outcome;
            }
        }

        return null;
    }

    private static OutcomeMap OfSide(int combination, bool isRight, OutcomeMap whole)
    {
        ref KnownContext? known = ref Known[combination, isRight ? 1 : 0, whole.Bits];
        if (known is null)
        {
            Func<Outcome, Outcome, Outcome> combine = Combinations[combination];
            known = new KnownContext(Partition(outcome =>
            {
                int answers = 0;
                for (Outcome other = Outcome.False; other <= Outcome.Error; other++)
                {
                    Outcome combined = isRight ? combine(other, outcome) : combine(outcome, other);
                    answers = (answers << 2) | (int)whole[combined];
                }

                return answers;
            }));
        }

        return known.Context;
    }

    // Outcomes with the same answers may be exchanged; the first of them stands for all.
    private static OutcomeMap Partition(Func<Outcome, int> answers)
    {
        Span<Outcome> standIn = stackalloc Outcome[4];
        for (Outcome outcome = Outcome.False; outcome <= Outcome.Error; outcome++)
        {
            standIn[(int)outcome] = outcome;
            for (Outcome earlier = Outcome.False; earlier < outcome; earlier++)
            {
                if (answers(earlier) == answers(outcome))
                {
                    standIn[(int)outcome] = earlier;
                    break;
                }
            }
        }

        return OutcomeMap.Of(standIn[0], standIn[1], standIn[2], standIn[3]);
    }

    // A reference, so that threads that work out the same at once do not see half of it.
    private sealed record KnownContext(OutcomeMap Context);
}
