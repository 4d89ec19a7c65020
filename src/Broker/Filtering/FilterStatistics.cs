namespace GrayMQ.Broker.Filtering;

/// <summary>What a topic's index has done since the broker was started.</summary>
internal sealed class FilterStatistics
{
    private long _messages;
    private long _lookUps;
    private long _evaluations;
    private long _matches;
    private long _keptBytes;
    private long _notKept;
    private long _lookedAt;

    /// <summary>Messages that the index was asked about.</summary>
    public long Messages => Volatile.Read(ref _messages);

    /// <summary>Tables of the index that were asked.</summary>
    public long LookUps => Volatile.Read(ref _lookUps);

    /// <summary>Residual conditions that were evaluated.</summary>
    public long Evaluations => Volatile.Read(ref _evaluations);

    /// <summary>Expressions that messages matched.</summary>
    public long Matches => Volatile.Read(ref _matches);

    /// <summary>Bytes of the answers that were kept.</summary>
    public long KeptBytes => Volatile.Read(ref _keptBytes);

    /// <summary>Answers that could not be kept.</summary>
    public long NotKept => Volatile.Read(ref _notKept);

    /// <summary>Messages that had to be looked at when they were read, because no answer was there for the expression.</summary>
    public long LookedAt => Volatile.Read(ref _lookedAt);

    /// <summary>By the dispatcher alone.</summary>
    public void OnMatched(GrayMQ.Filtering.Indexes.MatchSet matches)
    {
        Volatile.Write(ref _messages, _messages + 1);
        Volatile.Write(ref _lookUps, _lookUps + matches.LookUps);
        Volatile.Write(ref _evaluations, _evaluations + matches.Evaluations);
        Volatile.Write(ref _matches, _matches + matches.Count);
    }

    /// <inheritdoc cref="OnMatched"/>
    public void OnKept(int bytes) => Volatile.Write(ref _keptBytes, _keptBytes + bytes);

    /// <inheritdoc cref="OnMatched"/>
    public void OnNotKept() => Volatile.Write(ref _notKept, _notKept + 1);

    /// <summary>By any thread.</summary>
    public void OnLookedAt() => Interlocked.Increment(ref _lookedAt);
}
