namespace GrayMQ.Store.Pops;

/// <summary>
/// What a group has in hand of one queue. All members are guarded by <see cref="Gate"/>; the store's methods that take a queue
/// expect it to be held where they say so.
/// </summary>
public sealed class PopQueue
{
    /// <summary>Where nothing was popped yet.</summary>
    public const long NoOffset = -1;

    private Dictionary<CheckPointId, PopCheckPoint>? _checkPoints;
    private object? _refused;
    private long _refusedFrom;

    internal PopQueue(PoppedTopic topic, int queueId, byte[] key)
    {
        PoppedTopic = topic;
        QueueId = queueId;
        Key = key;
    }

    public Lock Gate { get; } = new();

    public PoppedTopic PoppedTopic { get; }

    public string Group => PoppedTopic.Group;

    public string Topic => PoppedTopic.Topic;

    public int QueueId { get; }

    /// <summary>Where the next pop begins to read; <see cref="NoOffset"/> when that was not decided yet.</summary>
    public long NextOffset { get; internal set; } = NoOffset;

    /// <summary>The offset that was last told to the group's consumer offsets: when they differ, somebody else has moved them.</summary>
    public long ToldOffset { get; set; } = NoOffset;

    /// <summary>Messages handed out and not acked.</summary>
    public int InFlight { get; internal set; }

    /// <summary>The batch that an orderly pop has locked the queue with; null when the queue is free.</summary>
    public OrderedBatch? Ordered { get; internal set; }

    /// <summary>
    /// The batch whose last message was acked last: while its end is on the way to the database, no other may have its id.
    /// </summary>
    internal CheckPointId LastEnded { get; private set; } = new(-1, -1);

    /// <summary>The topic or the group was deleted: whoever holds this finds the queue anew.</summary>
    public bool IsDropped { get; internal set; }

    /// <summary>Batches in hand.</summary>
    public int CheckPointCount => _checkPoints?.Count ?? 0;

    /// <summary>First part of the queue's keys in the database.</summary>
    internal byte[] Key { get; }

    internal IEnumerable<PopCheckPoint> CheckPoints => _checkPoints is null ? [] : _checkPoints.Values;

    /// <summary>
    /// Remembers that somebody got nothing because so many messages are in hand; <see cref="PopStore.Freed"/> tells him, once, when they
    /// are fewer.
    /// </summary>
    public void Refuse(object whom, long limit) => (_refused, _refusedFrom) = (whom, limit);

    public override string ToString() => $"{Topic}:{QueueId} of {Group}";

    /// <summary>Who was refused and would not be any more; null for nobody.</summary>
    internal object? TakeRefused()
    {
        object? refused = InFlight < _refusedFrom ? _refused : null;
        if (refused is not null)
        {
            _refused = null;
        }

        return refused;
    }

    internal PopCheckPoint? Find(CheckPointId id) =>
        _checkPoints is not null && _checkPoints.TryGetValue(id, out PopCheckPoint? found) ? found : null;

    internal void Add(PopCheckPoint checkPoint)
    {
        (_checkPoints ??= []).Add(checkPoint.Id, checkPoint);
        InFlight += checkPoint.UnackedCount;
    }

    /// <summary>Takes a batch out whose messages are all accounted for.</summary>
    internal void Remove(PopCheckPoint checkPoint)
    {
        _checkPoints?.Remove(checkPoint.Id);
        LastEnded = checkPoint.Id;
    }
}
