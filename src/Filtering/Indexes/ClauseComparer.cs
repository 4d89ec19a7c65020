namespace GrayMQ.Filtering.Indexes;

/// <summary>Whether clauses are made of the same conditions in the same order.</summary>
internal sealed class ClauseComparer : IEqualityComparer<Condition[]>
{
    public static ClauseComparer Instance { get; } = new();

    public bool Equals(Condition[]? x, Condition[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(Condition[] obj)
    {
        var hash = new HashCode();
        foreach (Condition condition in obj)
        {
            hash.Add(condition.Number);
        }

        return hash.ToHashCode();
    }
}
