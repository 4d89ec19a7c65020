namespace GrayMQ.Store.Flushing;

/// <summary>
/// Writes and announces what many have appended by one call, on a thread of the pool: who comes while it waits for its turn, or while the one
/// before is under way, shares it. So nobody waits on a thread for another's write, and a message that comes alone on its connection is written
/// with those of others.
/// </summary>
/// <param name="announce">What is shared; called by one thread at a time.</param>
internal sealed class GroupAnnouncement(Action announce) : IThreadPoolWorkItem
{
    private readonly Lock _lock = new();

    // Guarded by the lock. Of the two lists one fills while the other is served.
    private List<Action<Exception?>> _waiting = [];
    private List<Action<Exception?>>? _unused = [];
    private bool _scheduled;

    /// <summary>What was appended before the call is announced, and then <paramref name="done"/> is called, with what that failed with.</summary>
    public void Add(Action<Exception?> done)
    {
        lock (_lock)
        {
            _waiting.Add(done);
            if (_scheduled)
            {
                return;
            }

            _scheduled = true;
        }

        Schedule();
    }

    void IThreadPoolWorkItem.Execute()
    {
        List<Action<Exception?>> served;
        lock (_lock)
        {
            served = _waiting;
            _waiting = _unused ?? [];
            _unused = null;
        }

        Exception? failure = null;
        try
        {
            announce();
        }
        catch (Exception e)
        {
            failure = e;
        }

        bool again;
        lock (_lock)
        {
            again = _scheduled = _waiting.Count > 0;
        }

        if (again)
        {
            // Before those who were served are told, who may well keep this thread busy.
            Schedule();
        }

        foreach (Action<Exception?> done in served)
        {
            done(failure);
        }

        served.Clear();
        lock (_lock)
        {
            _unused ??= served;
        }
    }

    // Behind the reads that the pool has in hand: what they append comes along.
    private void Schedule() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
}
