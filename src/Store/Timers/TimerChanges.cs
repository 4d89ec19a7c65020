using GrayMQ.Store.Dispatching;

namespace GrayMQ.Store.Timers;

/// <summary>
/// What has happened to pending messages and is not written down yet: entries that came, that somebody has taken, and that can be removed
/// once the record which settles them is on disk. May be used by any thread, and never waits for the disk;
/// <see cref="Take"/> to <see cref="OnWritten"/> is one thread's at a time.
/// </summary>
/// <param name="applied">Up to where the log is written down; -1 for nothing.</param>
/// <param name="lowMs">No entry is due before.</param>
internal sealed class TimerChanges(long applied, long lowMs)
{
    // Changes that gather before the caller has to write them.
    private const int MaxQueued = 16_384;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, TakenTimer> _taken = [];
    private readonly Queue<Settlement> _settlements = new();
    private readonly DueCursor _cursor = new(lowMs);
    private List<TimerArrival> _arrivals = [];
    private List<TimerArrival> _adding = [];
    private readonly List<long> _removing = [];
    private ILogView? _log;
    private long _applied = applied;
    private long _checkPoint = -1;
    private long _lowMs = lowMs;

    /// <summary>Up to where the log is written down.</summary>
    public long AppliedOffset
    {
        get
        {
            lock (_lock)
            {
                return _applied;
            }
        }
    }

    /// <summary>No entry is due before.</summary>
    public long LowMs
    {
        get
        {
            lock (_lock)
            {
                return _lowMs;
            }
        }
    }

    /// <summary>Entries that are taken or settled, and still there.</summary>
    public int TakenCount
    {
        get
        {
            lock (_lock)
            {
                return _taken.Count;
            }
        }
    }

    /// <summary>Can anything be written now?</summary>
    public bool CanWrite
    {
        get
        {
            lock (_lock)
            {
                return _arrivals.Count > 0
                    || _adding.Count > 0
                    || _removing.Count > 0
                    || _checkPoint > _applied
                    || IsSettled(Durable);
            }
        }
    }

    /// <summary>Are there removals that wait for the disk?</summary>
    public bool AwaitsDisk
    {
        get
        {
            lock (_lock)
            {
                return _settlements.Count > 0;
            }
        }
    }

    /// <inheritdoc cref="DueCursor.NextDueMs"/>
    public long NextDueMs
    {
        get
        {
            lock (_lock)
            {
                return _cursor.NextDueMs;
            }
        }
    }

    /// <summary>The entries to add, of the last <see cref="Take"/>.</summary>
    public IReadOnlyList<TimerArrival> Adding => _adding;

    /// <summary>The physical offsets of the entries to remove, of the last <see cref="Take"/>.</summary>
    public IReadOnlyList<long> Removing => _removing;

    public void OnOpening(ILogView log) => _log = log;

    /// <summary>Should it be written before more is added?</summary>
    /// <param name="isNew">Is it the log's end that is shown? Then somebody writes removals from time to time.</param>
    public bool IsFull(bool isNew)
    {
        lock (_lock)
        {
            return _arrivals.Count >= MaxQueued || (!isNew && _settlements.Count >= MaxQueued && IsSettled(Durable));
        }
    }

    /// <summary>What a record of the log says. Returns whether that is the first thing to do for a while.</summary>
    /// <param name="arrival">The entry that it adds, if it does.</param>
    /// <param name="settles">The physical offset of the entry that it settles; -1 for none.</param>
    /// <param name="recordEnd">Where the record ends.</param>
    public bool Add(TimerArrival? arrival, long settles, long recordEnd)
    {
        lock (_lock)
        {
            bool wasIdle = _arrivals.Count == 0 && _settlements.Count == 0;
            if (arrival is { } added)
            {
                _arrivals.Add(added);
            }

            if (settles >= 0)
            {
                _taken[settles] = _taken.GetValueOrDefault(settles) with { IsSettled = true };
                _settlements.Enqueue(new Settlement(settles, recordEnd));
            }

            return wasIdle;
        }
    }

    /// <summary>Everything below was shown, and is on disk.</summary>
    public void SetCheckPoint(long offset)
    {
        lock (_lock)
        {
            _checkPoint = offset;
        }
    }

    /// <summary>The log ends there: what was written down of it has become less.</summary>
    public void SetCut(long logEnd)
    {
        lock (_lock)
        {
            _applied = logEnd;
        }
    }

    /// <summary>Takes an entry; false if somebody has.</summary>
    public bool TryTake(in TimerEntry entry, int topicId)
    {
        lock (_lock)
        {
            return _taken.TryAdd(entry.PhysicalOffset, new TakenTimer(entry, topicId, IsSettled: false));
        }
    }

    /// <summary>An entry that was taken is pending again, unless the log says meanwhile that it is settled.</summary>
    public void GiveBack(in TimerEntry entry)
    {
        lock (_lock)
        {
            if (!_taken.GetValueOrDefault(entry.PhysicalOffset).IsSettled)
            {
                _taken.Remove(entry.PhysicalOffset);
                _cursor.GoBackTo(entry);
            }
        }
    }

    /// <summary>An entry is to be removed for which no record is needed.</summary>
    public void Discard(in TimerEntry entry, int topicId)
    {
        lock (_lock)
        {
            _taken[entry.PhysicalOffset] = new TakenTimer(entry, topicId, IsSettled: true);
            _settlements.Enqueue(new Settlement(entry.PhysicalOffset, 0));
        }
    }

    public bool IsTaken(long physicalOffset)
    {
        lock (_lock)
        {
            return _taken.ContainsKey(physicalOffset);
        }
    }

    /// <summary>How an entry that is in the table stands.</summary>
    public TimerStanding StandingOf(in TimerEntry entry)
    {
        lock (_lock)
        {
            return !_taken.TryGetValue(entry.PhysicalOffset, out TakenTimer taken) ? TimerStanding.Pending
                : taken.IsSettled ? TimerStanding.Settled
                : TimerStanding.Taken;
        }
    }

    /// <summary>The entry at an offset, if it was taken here; false where only the log has told of it.</summary>
    public bool TryGetTaken(long physicalOffset, out TakenTimer taken)
    {
        lock (_lock)
        {
            return _taken.TryGetValue(physicalOffset, out taken) && taken.IsKnown;
        }
    }

    /// <summary>All that were taken here.</summary>
    public List<TakenTimer> AllTaken()
    {
        lock (_lock)
        {
            return [.. _taken.Values.Where(static taken => taken.IsKnown)];
        }
    }

    /// <summary>
    /// Moves what can be written to <see cref="Adding"/> and <see cref="Removing"/>, where it stays until <see cref="OnWritten"/>. Returns
    /// the offset up to which the log is written down with it.
    /// </summary>
    public long Take(int maxRemovals)
    {
        lock (_lock)
        {
            // Read here, or a check point set since would cover removals that this does not take.
            long durable = Durable;
            if (_adding.Count == 0)
            {
                (_adding, _arrivals) = (_arrivals, _adding);
            }
            else
            {
                _adding.AddRange(_arrivals);
                _arrivals.Clear();
            }

            while (_removing.Count < maxRemovals && IsSettled(durable))
            {
                _removing.Add(_settlements.Dequeue().PhysicalOffset);
            }

            // What a check point covers is on disk: its removals are among those taken, if all that could be were.
            return IsSettled(durable) ? _applied : Math.Max(_checkPoint, _applied);
        }
    }

    /// <summary>What was taken to be written is.</summary>
    /// <param name="appliedOffset">As <see cref="Take"/> has returned it.</param>
    /// <param name="lowMs">No entry is due before.</param>
    public void OnWritten(long appliedOffset, long lowMs)
    {
        lock (_lock)
        {
            foreach (TimerArrival arrival in _adding)
            {
                _cursor.GoBackTo(arrival.Entry);
            }

            foreach (long physicalOffset in _removing)
            {
                _taken.Remove(physicalOffset);
            }

            _adding.Clear();
            _removing.Clear();
            _applied = Math.Max(_applied, appliedOffset);
            _lowMs = lowMs;
        }
    }

    /// <inheritdoc cref="DueCursor.Begin"/>
    public (long DueMs, long Offset) BeginLook()
    {
        lock (_lock)
        {
            return _cursor.Begin();
        }
    }

    /// <inheritdoc cref="DueCursor.End"/>
    public void EndLook((long DueMs, long Offset) reached, long nextDueMs)
    {
        lock (_lock)
        {
            _cursor.End(reached, nextDueMs);
        }
    }

    /// <inheritdoc cref="DueCursor.Cancel"/>
    public void CancelLook()
    {
        lock (_lock)
        {
            _cursor.Cancel();
        }
    }

    /// <inheritdoc cref="DueCursor.GoBackTo"/>
    public void GoBackTo(in TimerEntry entry)
    {
        lock (_lock)
        {
            _cursor.GoBackTo(entry);
        }
    }

    private long Durable => _log?.DurableOffset ?? 0;

    private bool IsSettled(long durable) =>
        _settlements.TryPeek(out Settlement first) && first.RecordEnd <= durable;

    /// <summary>An entry to be removed.</summary>
    /// <param name="RecordEnd">Where the record ends that says so; 0 if none is needed.</param>
    private readonly record struct Settlement(long PhysicalOffset, long RecordEnd);
}

/// <summary>An entry to be added.</summary>
/// <param name="TopicId">Of <see cref="TimerCounts"/>.</param>
/// <param name="IsReplay">It may be there already.</param>
internal readonly record struct TimerArrival(TimerEntry Entry, int TopicId, bool IsReplay);

/// <summary>An entry that was taken; without more where only the log has told so.</summary>
/// <param name="TopicId">Of <see cref="TimerCounts"/>.</param>
/// <param name="IsSettled">It is to be removed: the log says so, or nothing can be delivered.</param>
internal readonly record struct TakenTimer(TimerEntry Entry, int TopicId, bool IsSettled)
{
    // No record stands at offset 0 that is due at 0.
    public bool IsKnown => Entry.DueMs != 0;
}
