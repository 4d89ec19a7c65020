using System.Text.Json.Serialization;

namespace GrayMQ.Gray;

/// <summary>
/// From one moment on, messages of a topic are stored in other queues than before: the topic was switched on or off. Who consumes it in
/// order gets what lies behind that moment in a queue only once the queues that the same keys lay in before are consumed up to theirs.
/// </summary>
public sealed record MappingChange
{
    private int[][]? _origins;

    /// <summary>The gray queues before; <see cref="QueueMapping.None"/> where it was no gray topic.</summary>
    public required QueueMapping Before { get; init; }

    /// <summary>The gray queues since.</summary>
    public required QueueMapping After { get; init; }

    /// <summary>Where each queue ended at that moment; the index is the queue id.</summary>
    public required IReadOnlyList<long> Ends { get; init; }

    /// <summary>The other queues in which messages lay before that are stored in this one since; ascending.</summary>
    public ReadOnlySpan<int> OriginsOf(int queueId)
    {
        int[][] origins = _origins ??= MakeOrigins();
        return (uint)queueId < (uint)origins.Length ? origins[queueId] : [];
    }

    /// <summary>Where a queue ended; 0 for one that was not there.</summary>
    public long EndOf(int queueId) => (uint)queueId < (uint)Ends.Count ? Ends[queueId] : 0;

    public bool Equals(MappingChange? other) =>
        other is not null && Before == other.Before && After == other.After && Ends.SequenceEqual(other.Ends);

    public override int GetHashCode() => HashCode.Combine(Before, After, Ends.Count);

    private int[][] MakeOrigins()
    {
        var origins = new SortedSet<int>[Ends.Count];
        for (int asked = 0; asked < Ends.Count; asked++)
        {
            foreach (Side side in Enum.GetValues<Side>())
            {
                int before = Before.Map(asked, side);
                int after = After.Map(asked, side);
                if (before != after && after < origins.Length)
                {
                    (origins[after] ??= []).Add(before);
                }
            }
        }

        return [.. origins.Select(each => each?.ToArray() ?? [])];
    }
}

/// <summary>Which queue a message is stored in that asks for another: see <see cref="GrayQueues"/>.</summary>
/// <param name="Queues">n; 0 for a topic that is not gray.</param>
/// <param name="Size">g.</param>
public readonly record struct QueueMapping(int Queues, int Size)
{
    /// <summary>Every message goes where it is sent.</summary>
    public static QueueMapping None => default;

    /// <summary>Whether it is that of no gray topic.</summary>
    [JsonIgnore]
    public bool IsNone => GrayQueues.Problem(Queues, Size) is not null;

    public static QueueMapping Of(GrayQueues? queues) => queues is { } of ? new QueueMapping(of.Count, of.Size) : None;

    public int Map(int asked, Side side) => IsNone ? asked : new GrayQueues(Queues, Size).Map(asked, side);
}
