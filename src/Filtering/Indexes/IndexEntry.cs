namespace GrayMQ.Filtering.Indexes;

/// <summary>Subscriptions that a message matches when all conditions hold. Immutable.</summary>
internal sealed record IndexEntry(Condition[] Conditions, int[] Ids)
{
    public bool HasConditions(ReadOnlySpan<Condition> conditions) => conditions.SequenceEqual(Conditions);
}
