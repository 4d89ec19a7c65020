namespace GrayMQ.Filtering.Indexes;

/// <summary>Subscriptions that a message matches when all conditions hold. Immutable.</summary>
/// <param name="Conditions">None match every message.</param>
/// <param name="Ids">The subscriptions.</param>
/// <param name="Places">In how many places of the index a subscription is, at most: clauses of it, and copies of them on the way to here.</param>
internal sealed record IndexEntry(Condition[] Conditions, int[] Ids, int Places)
{
    public bool HasConditions(ReadOnlySpan<Condition> conditions) => conditions.SequenceEqual(Conditions);

    /// <summary>These subscriptions, and those of an entry with the same conditions.</summary>
    public IndexEntry With(IndexEntry same) => new(Conditions, [.. Ids, .. same.Ids], Math.Max(Places, same.Places));
}
