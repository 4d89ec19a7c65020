namespace GrayMQ.Remoting.Connections;

/// <summary>
/// What one peer has been written and its transport has not taken: bytes that wait for a flush and those of the flush under way. They count
/// against the budget of all peers only once the transport did not take them at once. Guarded by the output's lock, where nothing else is said.
/// </summary>
/// <param name="max">More than so many are left by a peer that does not read.</param>
internal sealed class UnsentBytes(long max, UnsentBudget budget)
{
    private long _waitingAnswers;
    private long _flushing;
    private long _flushingAnswers;
    private long _budgeted;

    public long Waiting { get; private set; }

    public long Total => Waiting + _flushing;

    /// <summary>What answers have of it. From any thread.</summary>
    public long Answers => Volatile.Read(ref _waitingAnswers) + Volatile.Read(ref _flushingAnswers);

    public void AddAnswer(int bytes)
    {
        Waiting += bytes;
        _waitingAnswers += bytes;
    }

    public void AddRequest(int bytes) => Waiting += bytes;

    /// <summary>Counts what was just added behind a flush under way. False when that is more than may be left.</summary>
    public bool TryCountAdded(int bytes) => TryCount(bytes) && Total <= max;

    public void BeginFlush()
    {
        _flushing = Waiting;
        Volatile.Write(ref _flushingAnswers, _waitingAnswers);
        Waiting = 0;
        Volatile.Write(ref _waitingAnswers, 0);
    }

    /// <summary>The transport did not take at once what is being flushed.</summary>
    public void CountFlushing() => TryCount(_flushing);

    public void EndFlush()
    {
        _flushing = 0;
        if (_budgeted > 0)
        {
            budget.Subtract(_budgeted);
            _budgeted = 0;
        }

        Volatile.Write(ref _flushingAnswers, 0);
    }

    private bool TryCount(long bytes)
    {
        _budgeted += bytes;
        return budget.TryAdd(bytes);
    }
}
