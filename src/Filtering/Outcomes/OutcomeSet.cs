namespace GrayMQ.Filtering.Outcomes;

/// <summary>The outcomes that a condition can have.</summary>
[Flags]
public enum OutcomeSet : byte
{
    None = 0,
    False = 1 << Outcome.False,
    True = 1 << Outcome.True,
    Null = 1 << Outcome.Null,
    Error = 1 << Outcome.Error,
    TrueOrFalse = True | False,
    All = True | False | Null | Error,
}
