namespace GrayMQ.Gray;

/// <summary>
/// Which queues of a topic are gray, and which queue a message of a side is stored in. The gray ones are taken in turn from head and
/// tail, so that the normal ones stand together:
/// <code>
/// n = 6, g = 2      0 | 1 2 3 4 | 5        gray 0 5      normal 1 2 3 4
/// n = 8, g = 3    0 1 | 2 3 4 5 6 | 7      gray 0 7 1    normal 2 3 4 5 6
/// </code>
/// </summary>
public readonly record struct GrayQueues
{
    /// <summary>Gray queues where nobody says how many.</summary>
    public const int DefaultSize = 2;

    private readonly int _heads;
    private readonly int _tails;

    /// <param name="queues">n: queues of the topic on each broker, as the gray state says it; not what a route shows.</param>
    /// <param name="size">g: how many of them are gray.</param>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="Problem"/> says why.</exception>
    public GrayQueues(int queues, int size)
    {
        if (Problem(queues, size) is { } problem)
        {
            throw new ArgumentOutOfRangeException(nameof(queues), problem);
        }

        Count = queues;
        Size = size;
        _heads = (size + 1) / 2;
        _tails = size / 2;
    }

    /// <summary>n.</summary>
    public int Count { get; }

    /// <summary>g.</summary>
    public int Size { get; }

    /// <summary>The gray queues in the order in which they are taken: 0, n-1, 1, n-2, …</summary>
    public IReadOnlyList<int> Gray
    {
        get
        {
            int count = Count;
            return [.. Enumerable.Range(0, Size).Select(i => i % 2 == 0 ? i / 2 : count - 1 - (i / 2))];
        }
    }

    /// <summary>The normal queues, ascending.</summary>
    public IReadOnlyList<int> Normal => [.. Enumerable.Range(_heads, Count - Size)];

    /// <summary>Why a topic cannot have such queues; null when it can. At least one queue has to stay normal.</summary>
    public static string? Problem(int queues, int size) =>
        size < 1 ? $"the gray size {size} is not at least 1"
        : queues > GrayLimits.MaxQueues ? $"{queues} queues are more than {GrayLimits.MaxQueues}"
        : queues < size + 1 ? $"{queues} queues are too few for {size} gray ones: at least {size + 1L} are needed"
        : null;

    /// <summary>The side whose messages are stored in a queue. A queue that the topic has beyond n is normal.</summary>
    public Side SideOf(int queueId) =>
        queueId >= 0 && (queueId < _heads || (queueId >= Count - _tails && queueId < Count)) ? Side.Gray : Side.Normal;

    /// <summary>
    /// The queue in which a message is stored whose sender asks for another: always the same one, so that what was sent in order to one
    /// queue stays in order.
    /// </summary>
    /// <param name="asked">Not negative.</param>
    /// <param name="side">Of the message.</param>
    public int Map(int asked, Side side)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(asked);
        return SideOf(asked) == side ? asked
            : side == Side.Normal ? _heads + (asked % (Count - Size))
            : GrayAt(asked % Size);
    }

    private int GrayAt(int index) => index % 2 == 0 ? index / 2 : Count - 1 - (index / 2);
}
