using System.Numerics;

namespace GrayMQ.Store.Pops;

/// <summary>
/// What is due, and how batches whose time is up leave the store: begun, appended again by the caller, ended; the note of the log's
/// offset tells after a crash where to look for what was appended in between. Part of <see cref="PopStore"/>.
/// </summary>
public sealed class PopRevivals
{
    private readonly PopDatabase _database;
    private readonly PopLedger _ledger;

    internal PopRevivals(PopDatabase database, PopLedger ledger)
    {
        _database = database;
        _ledger = ledger;
        LogOffset = database.FindRevival();
    }

    /// <summary>The log's offset from which on revivals may have been appended that their check points do not know of; null for none.</summary>
    public long? LogOffset { get; private set; }

    /// <summary>Called when something is due before all that was there; on any thread, with a queue's gate held.</summary>
    public Action<long>? EarlierDue
    {
        get => _ledger.EarlierDue;
        set => _ledger.EarlierDue = value;
    }

    /// <summary>Batches in hand, and orderly queues that are locked.</summary>
    public int DueCount => _ledger.DueCount;

    /// <summary>When the earliest is due, ms since 1970; <see cref="long.MaxValue"/> for never.</summary>
    public long EarliestDueMs => _ledger.EarliestDueMs;

    /// <summary>Adds what is due to <paramref name="due"/>; it stays until it is dealt with.</summary>
    public void CopyDue(long nowMs, int most, List<PopDue> due) => _ledger.CopyDue(nowMs, most, due);

    /// <summary>
    /// Says durably, also for the end of the machine, that messages will be appended again from <paramref name="logOffset"/> on, of
    /// which the check points do not know until <see cref="End"/>.
    /// </summary>
    public void Announce(long logOffset)
    {
        if (LogOffset is null)
        {
            _database.PutRevival(logOffset);
            LogOffset = logOffset;
        }
    }

    /// <summary>Takes a batch that is due out of the reach of acks; false when it is not due any more. Takes the gate.</summary>
    public static bool TryBegin(PopCheckPoint checkPoint, long nowMs)
    {
        lock (checkPoint.Queue.Gate)
        {
            if (checkPoint.HeapIndex < 0 || checkPoint.IsReviving || checkPoint.DueMs > nowMs || checkPoint.Queue.IsDropped)
            {
                return false;
            }

            checkPoint.IsReviving = true;
            return true;
        }
    }

    /// <summary>
    /// What <see cref="TryBegin"/> took and became of it: in one batch, and with it that nothing is being revived. Takes the gates.
    /// To be called again with the same when it throws, before anything else is revived.
    /// </summary>
    public void End(IReadOnlyList<PopRevival> revivals)
    {
        var gone = new int[revivals.Count];
        using (PopChange change = _database.Begin())
        {
            foreach (PopRevival revival in revivals)
            {
                uint rest = RestOf(revival);
                if (rest == 0)
                {
                    change.PutRest(revival.CheckPoint, 0);
                }
                else
                {
                    change.Put(revival.CheckPoint, rest, revival.NextDueMs, revival.PutOff);
                }
            }

            if (LogOffset is not null)
            {
                change.DeleteRevival();
            }

            change.Write();

            // Before anybody writes again: an ack from before may still wait to be, and writes what is left.
            for (int i = 0; i < gone.Length; i++)
            {
                PopCheckPoint checkPoint = revivals[i].CheckPoint;
                uint before = checkPoint.Unacked;
                checkPoint.Unacked = RestOf(revivals[i]);
                gone[i] = BitOperations.PopCount(before) - checkPoint.UnackedCount;
            }
        }

        LogOffset = null;
        for (int i = 0; i < gone.Length; i++)
        {
            PopRevival revival = revivals[i];
            PopCheckPoint checkPoint = revival.CheckPoint;
            lock (checkPoint.Queue.Gate)
            {
                checkPoint.IsReviving = false;
                _ledger.Account(checkPoint, gone[i]);
                if (checkPoint.Unacked != 0)
                {
                    checkPoint.IsPutOff = revival.PutOff;
                    checkPoint.Failures = revival.Failures;
                    _ledger.Schedule(checkPoint, revival.NextDueMs);
                }
            }
        }

        static uint RestOf(in PopRevival revival) =>
            revival.CheckPoint.Queue.IsDropped ? 0 : revival.CheckPoint.Unacked & ~revival.Done;
    }
}
