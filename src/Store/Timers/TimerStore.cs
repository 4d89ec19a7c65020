using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Timers;

/// <summary>
/// The pending messages of a store, levels and times alike, ordered by when they are due. It follows the log: a record of the schedule
/// or timer topic adds an entry; a record that points back at one (<c>~physicalOffset</c> in
/// <see cref="StoredMessage.PreparedTransactionOffset"/>: it was delivered, rolled or recalled) removes it. What was delivered is so told
/// by the very append that delivered it. On disk: <see cref="TimerTable"/>, <see cref="TimerCounts"/>, <see cref="TimerRules"/>.
/// </summary>
/// <remarks>
/// Changes gather in memory and are written by <see cref="Apply()"/>; what removes an entry waits until the record that says so is on
/// disk, or a power failure could take the delivered message and leave no pending one. May be used by any thread.
/// </remarks>
public sealed class TimerStore : ILogFollower, IDisposable
{
    // The dispatcher waits for these.
    private const int MaxRemovalsWhileShown = 16_384;

    private readonly KeyValueStore _values;
    private readonly TimerTable _table;
    private readonly TimerCounts _counts;
    private readonly TimerRules _rules;
    private readonly TimerChanges _changes;
    private readonly ITimerHistory? _history;
    private ILogView? _log;
    private long _newFrom = long.MaxValue;
    private volatile bool _isDriven;

    // Guards everything below: one thread writes at a time.
    private readonly Lock _applyLock = new();
    private readonly KeyValueBatch _batch;
    private readonly MessageSlices _slices = new();
    private readonly HashSet<long> _added = [];
    private long _lowWritten;

    /// <param name="values">The database of the families.</param>
    /// <param name="timers">The entries.</param>
    /// <param name="counts">How many there are.</param>
    /// <param name="progress">Shared with others: keys that begin with "timers" are this store's.</param>
    /// <param name="rule">Tells when a record is due.</param>
    /// <param name="history">What was delivered by another broker, if there was one.</param>
    /// <exception cref="KeyValueStoreException">The database cannot be read or written.</exception>
    public TimerStore(
        KeyValueStore values, KeyFamily timers, KeyFamily counts, KeyFamily progress, DueRule rule, ITimerHistory? history, ILogger logger)
    {
        _values = values;
        _table = new TimerTable(values, timers, progress);
        _counts = new TimerCounts(values, counts);
        _rules = TimerRules.Load(values, progress, rule, logger);
        _lowWritten = _table.ReadLow() ?? 0;
        _changes = new TimerChanges(_table.ReadApplied() ?? -1, _lowWritten);
        _history = history;
        _batch = values.NewBatch();
    }

    /// <summary>Raised when there is something to do: by any thread, often; to be answered by waking whoever does it.</summary>
    public event Action? Changed;

    public string Name => "timers";

    public long AppliedOffset => _changes.AppliedOffset;

    /// <summary>Messages delivered, rolled or recalled whose entries are still there.</summary>
    public int InFlightCount => _changes.TakenCount;

    /// <summary>Does <see cref="Apply()"/> have anything to write now?</summary>
    public bool HasChanges => _changes.CanWrite;

    /// <inheritdoc cref="TimerChanges.AwaitsDisk"/>
    public bool AwaitsDisk => _changes.AwaitsDisk;

    /// <summary>Nothing is due before, as far as is known: look then. <see cref="long.MaxValue"/> if nothing is pending.</summary>
    public long NextDueMs => _changes.NextDueMs;

    /// <summary>
    /// Does a thread call <see cref="Apply(int)"/> whenever there is something to write? Then nobody else who tells of something has to
    /// wait for the database; otherwise a check point is written by whoever takes it.
    /// </summary>
    public bool IsDriven
    {
        get => _isDriven;
        set => _isDriven = value;
    }

    public void OnOpening(ILogView log)
    {
        _log = log;
        _changes.OnOpening(log);
    }

    public bool Follows(ReadOnlySpan<byte> topic) => DueRule.IsTimerTopic(topic);

    public void OnRecord(in StoredMessage message)
    {
        bool isNew = message.PhysicalOffset >= Volatile.Read(ref _newFrom);
        long settles = message.PreparedTransactionOffset < 0 ? ~message.PreparedTransactionOffset : -1;
        bool pending = _rules.Current.TryRead(message, out TimerEntry entry) && (isNew || _history?.IsDone(message, entry) != true);
        if (settles < 0 && !pending)
        {
            return;
        }

        if (_changes.IsFull(isNew))
        {
            Apply(MaxRemovalsWhileShown);
        }

        TimerArrival? arrival = pending ? new TimerArrival(entry, TopicIdOf(RealTopicOf(message)), !isNew) : null;
        if (_changes.Add(arrival, settles, message.PhysicalOffset + message.TotalSize))
        {
            Changed?.Invoke();
        }
    }

    public void OnCheckPoint(long offset)
    {
        _changes.SetCheckPoint(offset);
        if (_isDriven)
        {
            // Under the dispatch lock, where everything waits.
            Changed?.Invoke();
        }
        else
        {
            Apply();
        }
    }

    public void OnLogCut(long logEnd)
    {
        _table.SyncApplied(logEnd);
        _changes.SetCut(logEnd);
    }

    /// <summary>
    /// The store is open: records that begin at or behind <paramref name="logEnd"/> are new. What lies before may have been shown before, or
    /// be shown later still.
    /// </summary>
    public void OnOpened(long logEnd) => Volatile.Write(ref _newFrom, logEnd);

    /// <summary>Writes what has gathered: entries added at once, removed ones when the disk has what removes them.</summary>
    /// <exception cref="KeyValueStoreException">Nothing was written, and nothing is forgotten: it can be tried again.</exception>
    public void Apply() => Apply(int.MaxValue);

    /// <summary>As <see cref="Apply()"/>, leaving removals for later that would take too long now.</summary>
    public void Apply(int maxRemovals)
    {
        lock (_applyLock)
        {
            long appliedBefore = _changes.AppliedOffset;
            long applied = _changes.Take(maxRemovals);
            if (_changes.Adding.Count == 0 && _changes.Removing.Count == 0 && applied == appliedBefore)
            {
                return;
            }

            _batch.Clear();
            _added.Clear();
            _counts.Forget();

            // At a check point the mark moves on, over what was delivered: deleted entries before the first one cost each walk that
            // passes them, and this walk is the last one to do so.
            long lowMs = applied > appliedBefore ? _table.FirstDueFrom(_changes.LowMs) : _changes.LowMs;
            foreach (TimerArrival arrival in _changes.Adding)
            {
                Add(arrival);
                lowMs = Math.Min(lowMs, arrival.Entry.DueMs);
            }

            foreach (long physicalOffset in _changes.Removing)
            {
                Remove(physicalOffset);
            }

            _counts.AddTo(_batch);
            if (applied > appliedBefore)
            {
                _table.PutApplied(_batch, applied);
            }

            if (lowMs != _lowWritten)
            {
                _table.PutLow(_batch, lowMs);
            }

            _values.Write(_batch);
            _counts.Commit();
            _lowWritten = lowMs;
            _changes.OnWritten(applied, lowMs);
        }
    }

    /// <summary>
    /// The next entries that are due and that nobody has taken, in order; how many. To be taken with <see cref="TryTake"/> before
    /// anything is done. Also finds out <see cref="NextDueMs"/>.
    /// </summary>
    public int FindDue(long nowMs, Span<TimerEntry> destination)
    {
        try
        {
            return FindDueFrom(_changes.BeginLook(), nowMs, destination);
        }
        catch
        {
            _changes.CancelLook();
            throw;
        }
    }

    /// <summary>What was found and not taken is to be found again, from this entry on.</summary>
    public void LookAgainFrom(in TimerEntry entry) => _changes.GoBackTo(entry);

    /// <summary>
    /// Takes an entry to append what settles it; false if it was taken already. <see cref="GiveBack"/> if nothing could be appended.
    /// </summary>
    public bool TryTake(in TimerEntry entry, ReadOnlySpan<byte> realTopic) => _changes.TryTake(entry, TopicIdOf(realTopic));

    /// <summary>Nothing was appended after all.</summary>
    public void GiveBack(in TimerEntry entry) => _changes.GiveBack(entry);

    /// <summary>Removes an entry whose record is gone, or that cannot be delivered ever.</summary>
    public void Discard(in TimerEntry entry, ReadOnlySpan<byte> realTopic) => _changes.Discard(entry, TopicIdOf(realTopic));

    /// <summary>How the message of a record stands. Only knows what was applied.</summary>
    /// <param name="entry">Its entry, if it is not settled.</param>
    public TimerStanding Find(in StoredMessage message, out TimerEntry entry) =>
        _rules.TryFind(_table, message, out entry) ? _changes.StandingOf(entry) : TimerStanding.Settled;

    /// <summary>Reads an entry's record, without looking at its body; false if it is gone. Clears the slices first.</summary>
    public bool TryReadRecord(in TimerEntry entry, MessageSlices result) => _log?.TryRead(entry.PhysicalOffset, result) == true;

    /// <summary>Does the record still say what the entry does? If not, the entry is of another log.</summary>
    public bool Agrees(in TimerEntry entry, in StoredMessage message) => _rules.Agrees(entry, message);

    /// <summary>Removes the pending messages that another broker has delivered meanwhile. Returns how many.</summary>
    public int RemoveDone(ITimerHistory history)
    {
        int removed = 0;
        using var slices = new MessageSlices();
        foreach (TimerEntry entry in _table.All())
        {
            if (TryReadRecord(entry, slices)
                && StoredMessage.TryRead(slices[0], out StoredMessage message, out _)
                && history.IsDone(message, entry))
            {
                Discard(entry, RealTopicOf(message));
                removed++;
            }
        }

        Apply();
        return removed;
    }

    /// <summary>How many messages are pending that nobody has taken, by the topic that they are meant for and by level (0: own time).</summary>
    public (IReadOnlyDictionary<string, long> ByTopic, IReadOnlyDictionary<int, long> ByLevel) Counts()
    {
        lock (_applyLock)
        {
            return _counts.Snapshot([.. _changes.AllTaken().Select(static taken => (taken.TopicId, taken.Entry.Level))]);
        }
    }

    /// <summary>When the first entry is due that nobody has taken; <see cref="long.MaxValue"/> for none.</summary>
    public long FirstPendingDueMs()
    {
        foreach (TimerEntry entry in _table.From((_changes.LowMs, 0)))
        {
            if (!_changes.IsTaken(entry.PhysicalOffset))
            {
                return entry.DueMs;
            }
        }

        return long.MaxValue;
    }

    /// <summary>
    /// Where the first record stands of those pending in each queue: by level, 0 for those with a time of their own. Looks at each entry,
    /// but at no record: for what is done once, such as a stop.
    /// </summary>
    public IReadOnlyDictionary<int, long> FirstOffsets()
    {
        var first = new Dictionary<int, long>();
        foreach (TimerEntry entry in _table.All())
        {
            if (entry.PhysicalOffset < first.GetValueOrDefault(entry.Level, long.MaxValue)
                && !_changes.IsTaken(entry.PhysicalOffset))
            {
                first[entry.Level] = entry.PhysicalOffset;
            }
        }

        return first;
    }

    public void Dispose()
    {
        _slices.Dispose();
        _batch.Dispose();
    }

    /// <summary>The topic that a pending message is meant for; empty if it names none.</summary>
    public static ReadOnlySpan<byte> RealTopicOf(in StoredMessage message) =>
        message.TryGetProperty(MessagePropertyUtf8.RealTopic, out ReadOnlySpan<byte> topic) ? topic : default;

    private int FindDueFrom((long DueMs, long Offset) place, long nowMs, Span<TimerEntry> destination)
    {
        int count = 0;
        long nextDueMs = long.MaxValue;
        foreach (TimerEntry entry in _table.From(place))
        {
            if (entry.DueMs > nowMs || count == destination.Length)
            {
                nextDueMs = entry.DueMs;
                break;
            }

            place = (entry.DueMs, entry.PhysicalOffset + 1);
            if (!_changes.IsTaken(entry.PhysicalOffset))
            {
                destination[count++] = entry;
            }
        }

        _changes.EndLook(place, nextDueMs);
        return count;
    }

    private void Add(in TimerArrival arrival)
    {
        if (arrival.IsReplay)
        {
            _added.Add(arrival.Entry.PhysicalOffset);
            if (_table.Contains(arrival.Entry))
            {
                return;
            }
        }

        _table.Put(_batch, arrival.Entry);
        _counts.Change(arrival.TopicId, arrival.Entry.Level, 1);
    }

    private void Remove(long physicalOffset)
    {
        if (_changes.TryGetTaken(physicalOffset, out TakenTimer taken))
        {
            Delete(taken.Entry, taken.TopicId);
            return;
        }

        // If its record is gone with its file, so is the message, and the entry goes when it is due.
        if (_log?.TryRead(physicalOffset, _slices) == true && StoredMessage.TryRead(_slices[0], out StoredMessage message, out _))
        {
            bool isHere = _rules.TryFind(_table, message, out TimerEntry entry)
                || (_rules.Current.TryRead(message, out entry) && _added.Contains(physicalOffset));
            if (isHere)
            {
                Delete(entry, TopicIdOf(RealTopicOf(message)));
            }

            _slices.Clear();
        }
    }

    private void Delete(in TimerEntry entry, int topicId)
    {
        _table.Delete(_batch, entry);
        _counts.Change(topicId, entry.Level, -1);
        _added.Remove(entry.PhysicalOffset);
    }

    private int TopicIdOf(ReadOnlySpan<byte> realTopic) =>
        _counts.IdOf(realTopic[..Math.Min(realTopic.Length, QueueTable.MaxTopicBytes)]);
}
