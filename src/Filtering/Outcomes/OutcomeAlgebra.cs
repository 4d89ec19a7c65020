namespace GrayMQ.Filtering.Outcomes;

/// <summary>How outcomes combine. The left side is evaluated first, and what follows it only where the answer is still open.</summary>
public static class OutcomeAlgebra
{
    public static Outcome Of(bool value) => value ? Outcome.True : Outcome.False;

    public static OutcomeSet ToSet(this Outcome outcome) => (OutcomeSet)(1 << (int)outcome);

    public static bool Has(this OutcomeSet set, Outcome outcome) => (set & outcome.ToSet()) != 0;

    public static Outcome And(Outcome left, Outcome right) => left switch
    {
        Outcome.True => right,
        Outcome.False or Outcome.Error => left,
        _ => right is Outcome.False or Outcome.Error ? right : Outcome.Null,
    };

    public static Outcome Or(Outcome left, Outcome right) => left switch
    {
        Outcome.False => right,
        Outcome.True or Outcome.Error => left,
        _ => right is Outcome.True or Outcome.Error ? right : Outcome.Null,
    };

    /// <summary>RocketMQ's <c>=</c> on conditions: both are evaluated; two nulls are equal, a null on the right is not.</summary>
    public static Outcome Equal(Outcome left, Outcome right) => (left, right) switch
    {
        (Outcome.Error, _) or (_, Outcome.Error) => Outcome.Error,
        (Outcome.Null, Outcome.Null) => Outcome.True,
        (Outcome.Null, _) => Outcome.Null,
        _ => Of(left == right),
    };

    /// <summary>The outcomes of a combination of what each side can be.</summary>
    public static OutcomeSet Combine(OutcomeSet left, OutcomeSet right, Func<Outcome, Outcome, Outcome> combine)
    {
        OutcomeSet combined = OutcomeSet.None;
        for (Outcome l = Outcome.False; l <= Outcome.Error; l++)
        {
            for (Outcome r = Outcome.False; left.Has(l) && r <= Outcome.Error; r++)
            {
                combined |= right.Has(r) ? combine(l, r).ToSet() : OutcomeSet.None;
            }
        }

        return combined;
    }

    public static char Letter(Outcome outcome) => "FTNE"[(int)outcome];
}
