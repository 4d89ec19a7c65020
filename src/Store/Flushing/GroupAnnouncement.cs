using System.Buffers;

namespace GrayMQ.Store.Flushing;

/// <summary>
/// Writes what many have appended by one call, mostly on a thread of the pool: who comes while it waits for its turn, or while the one before is
/// under way, shares it. So who finds a write under way does not stand and wait for it, and a message that comes alone on its connection is
/// written with those of others.
/// </summary>
/// <param name="write">What is shared; called by one thread at a time.</param>
/// <param name="follow">
/// To be done with what was written before those who wait are told, who then find it. Only they wait for it: the next write begins before.
/// </param>
internal sealed class GroupAnnouncement(Action write, Action follow) : IThreadPoolWorkItem
{
    private readonly Lock _lock = new();

    // Guarded by the lock.
    private readonly List<Action<Exception?>> _waiting = [];
    private bool _scheduled;

    /// <summary>What was appended before the call is written, and then <paramref name="done"/> is called, with what that failed with.</summary>
    /// <param name="here">On the calling thread, before the call returns, unless a write waits for its turn or is under way.</param>
    public void Add(Action<Exception?> done, bool here = false)
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

        if (here)
        {
            Execute();
        }
        else
        {
            Schedule();
        }
    }

    void IThreadPoolWorkItem.Execute() => Execute();

    private void Execute()
    {
        int count;
        Action<Exception?>[] served;
        lock (_lock)
        {
            count = _waiting.Count;
            served = ArrayPool<Action<Exception?>>.Shared.Rent(count);
            _waiting.CopyTo(served);
            _waiting.Clear();
        }

        Exception? failure = Catch(write);
        bool again;
        lock (_lock)
        {
            again = _scheduled = _waiting.Count > 0;
        }

        if (again)
        {
            Schedule();
        }

        failure ??= Catch(follow);
        foreach (Action<Exception?> done in served.AsSpan(0, count))
        {
            done(failure);
        }

        ArrayPool<Action<Exception?>>.Shared.Return(served, clearArray: true);
    }

    private static Exception? Catch(Action step)
    {
        try
        {
            step();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    // Behind the reads that the pool has in hand: what they append comes along.
    private void Schedule() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
}
