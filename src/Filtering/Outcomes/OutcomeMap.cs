namespace GrayMQ.Filtering.Outcomes;

/// <summary>
/// A function from outcome to outcome, as four times two bits. NOT is one. Another use is to say which outcomes a place in an
/// expression can tell apart: outcomes that are mapped to the same one may be exchanged there.
/// </summary>
public readonly record struct OutcomeMap
{
    private OutcomeMap(byte bits) => Bits = bits;

    public static OutcomeMap Identity { get; } = Of(Outcome.False, Outcome.True, Outcome.Null, Outcome.Error);

    public static OutcomeMap Not { get; } = Of(Outcome.True, Outcome.False, Outcome.Null, Outcome.Error);

    public static OutcomeMap IsNull { get; } = Of(Outcome.False, Outcome.False, Outcome.True, Outcome.Error);

    /// <summary>True unless the evaluation ended: what is on the left of an OR must not have failed for its right to count.</summary>
    public static OutcomeMap NoError { get; } = Of(Outcome.True, Outcome.True, Outcome.True, Outcome.False);

    /// <summary>Whether a message matches: only true and not true are told apart.</summary>
    public static OutcomeMap Match { get; } = Of(Outcome.False, Outcome.True, Outcome.False, Outcome.False);

    /// <summary>The answer for outcome <c>o</c> in bits <c>2*o</c> and <c>2*o+1</c>.</summary>
    public byte Bits { get; }

    public Outcome this[Outcome outcome] => (Outcome)((Bits >> (2 * (int)outcome)) & 3);

    public static OutcomeMap Of(Outcome ifFalse, Outcome ifTrue, Outcome ifNull, Outcome ifError) =>
        new((byte)((int)ifFalse | ((int)ifTrue << 2) | ((int)ifNull << 4) | ((int)ifError << 6)));

    /// <summary>This, and then <paramref name="next"/> of its answer.</summary>
    public OutcomeMap Then(OutcomeMap next) =>
        Of(next[this[Outcome.False]], next[this[Outcome.True]], next[this[Outcome.Null]], next[this[Outcome.Error]]);

    public OutcomeSet Of(OutcomeSet outcomes)
    {
        OutcomeSet mapped = OutcomeSet.None;
        for (Outcome outcome = Outcome.False; outcome <= Outcome.Error; outcome++)
        {
            if (outcomes.Has(outcome))
            {
                mapped |= this[outcome].ToSet();
            }
        }

        return mapped;
    }

    public override string ToString() =>
        $"{OutcomeAlgebra.Letter(this[Outcome.False])}{OutcomeAlgebra.Letter(this[Outcome.True])}"
        + $"{OutcomeAlgebra.Letter(this[Outcome.Null])}{OutcomeAlgebra.Letter(this[Outcome.Error])}";
}
