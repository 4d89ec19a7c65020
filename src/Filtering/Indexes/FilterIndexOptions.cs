namespace GrayMQ.Filtering.Indexes;

/// <summary>How an index is made.</summary>
public sealed record FilterIndexOptions
{
    /// <summary>Ids above are refused: they are numbered densely, from 0.</summary>
    public const int MaxId = (1 << 24) - 1;

    /// <summary>
    /// The properties whose values expressions are specialised for; of those that an expression asks for, the first. Names of properties
    /// are case-sensitive, and both ways to write this one are in use.
    /// </summary>
    public IReadOnlyList<string> IndexedProperties { get; init; } = ["MessageType", "messageType"];
}
