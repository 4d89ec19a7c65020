using System.Buffers.Binary;
using System.Text;
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
/// by the very append that delivered it.
/// <code>
/// family    key                                  value
/// timers    due ms (8), physical offset (8)      level (1; 0 for a time of its own), 1 if it is to be rolled (1)
/// counts    't' topic | 'l' level (1)            pending messages (8)
/// progress  timers                               applied offset (8)
///           timers.low                           no entry is due before (8)
///           timers.rules                         rules by which entries may have been made, the newest last
/// </code>
/// Changes gather in memory and are written by <see cref="Apply()"/>; what removes an entry waits until the record that says so is on
/// disk, or a power failure could take the delivered message and leave no pending one. May be used by any thread.
/// </summary>
public sealed class TimerStore : ILogFollower, IDisposable
{
    // Changes that gather before the caller has to write them.
    private const int MaxQueued = 16_384;

    // Rules that entries may have been made by: one more with each change of the delay levels or of the roll window.
    private const int MaxRules = 16;

    private const int KeyBytes = 16;

    private static readonly byte[] ProgressKey = "timers"u8.ToArray();
    private static readonly byte[] LowKey = "timers.low"u8.ToArray();
    private static readonly byte[] RulesKey = "timers.rules"u8.ToArray();

    private readonly KeyValueStore _values;
    private readonly KeyFamily _timers;
    private readonly KeyFamily _progress;
    private readonly TimerCounts _counts;
    private readonly DueRule _rule;
    private readonly List<DueRule> _rules;
    private readonly ITimerHistory? _history;
    private readonly ILogger _logger;
    private readonly KeyValueBatch _batch;
    private readonly MessageSlices _slices = new();
    private readonly Lock _applyLock = new();

    // Guards everything below.
    private readonly Lock _lock = new();
    private readonly Dictionary<long, InFlight> _inFlight = [];
    private readonly Queue<Settlement> _settlements = new();
    private List<Arrival> _arrivals = [];
    private List<Arrival> _applying = [];
    private readonly List<Settlement> _settling = [];
    private readonly List<TimerEntry> _discarded = [];
    private readonly HashSet<long> _added = [];
    private ILogView? _log;
    private long _checkPoint = -1;
    private bool _opened;

    // Where to look for due entries: those before it are taken or gone. And the first place that an entry has come to since the last look.
    private (long DueMs, long Offset) _cursor;
    private (long DueMs, long Offset) _wentBack;
    private long _low;
    private long _lowWritten;
    private long _nextDueMs;

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
        _timers = timers;
        _progress = progress;
        _rule = rule;
        _history = history;
        _logger = logger;
        _counts = new TimerCounts(values, counts);
        _batch = values.NewBatch();
        AppliedOffset = ReadNumber(ProgressKey) ?? -1;
        _low = _lowWritten = ReadNumber(LowKey) ?? 0;
        _cursor = (_low, 0);
        _nextDueMs = _low;
        _rules = LoadRules();
    }

    /// <summary>Raised when there is something to do: by any thread, often; to be answered by waking whoever does it.</summary>
    public event Action? Changed;

    public string Name => "timers";

    public long AppliedOffset { get; private set; }

    /// <summary>Messages delivered, rolled or recalled whose entries are still there.</summary>
    public int InFlightCount
    {
        get
        {
            lock (_lock)
            {
                return _inFlight.Count;
            }
        }
    }

    /// <summary>Does <see cref="Apply()"/> have anything to write now?</summary>
    public bool HasChanges
    {
        get
        {
            lock (_lock)
            {
                return _arrivals.Count > 0 || _applying.Count > 0 || _discarded.Count > 0 || IsSettled(_log?.DurableOffset ?? 0);
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

    /// <summary>Nothing is due before, as far as is known: look then. <see cref="long.MaxValue"/> if nothing is pending.</summary>
    public long NextDueMs
    {
        get
        {
            lock (_lock)
            {
                return _nextDueMs;
            }
        }
    }

    public void OnOpening(ILogView log) => _log = log;

    public bool Follows(ReadOnlySpan<byte> topic) => DueRule.IsTimerTopic(topic);

    public void OnRecord(in StoredMessage message)
    {
        long settles = message.PreparedTransactionOffset < 0 ? ~message.PreparedTransactionOffset : -1;
        bool pending = _rule.TryRead(message, out TimerEntry entry) && (_opened || _history?.IsDone(message, entry) != true);
        if (settles < 0 && !pending)
        {
            return;
        }

        bool wasIdle;
        bool full;
        lock (_lock)
        {
            full = _arrivals.Count >= MaxQueued || (_settlements.Count >= MaxQueued && !_opened);
        }

        if (full)
        {
            Apply();
        }

        lock (_lock)
        {
            wasIdle = _arrivals.Count == 0 && _settlements.Count == 0;
            if (pending)
            {
                _arrivals.Add(new Arrival(entry, TopicIdOf(message), !_opened));
            }

            if (settles >= 0)
            {
                _inFlight.TryAdd(settles, default);
                _settlements.Enqueue(new Settlement(settles, message.PhysicalOffset + message.TotalSize));
            }
        }

        if (wasIdle)
        {
            Changed?.Invoke();
        }
    }

    public void OnCheckPoint(long offset)
    {
        lock (_lock)
        {
            _checkPoint = offset;
        }

        Apply();
    }

    public void OnLogCut(long logEnd)
    {
        _values.Put(_progress, ProgressKey, Number(stackalloc byte[sizeof(long)], logEnd), sync: true);
        AppliedOffset = logEnd;
    }

    /// <summary>The store is open: from here on each change is new.</summary>
    /// <exception cref="KeyValueStoreException">What was shown could not be written.</exception>
    public void OnOpened()
    {
        Apply();
        lock (_lock)
        {
            _opened = true;
        }
    }

    /// <summary>Writes what has gathered: entries added at once, removed ones when the disk has what removes them.</summary>
    /// <exception cref="KeyValueStoreException">Nothing was written, and nothing is forgotten: it can be tried again.</exception>
    public void Apply() => Apply(int.MaxValue);

    /// <summary>As <see cref="Apply()"/>, leaving removals for later that would take too long now.</summary>
    public void Apply(int maxRemovals)
    {
        lock (_applyLock)
        {
            long checkPoint = TakeChanges(maxRemovals);
            if (_applying.Count == 0 && _settling.Count == 0 && checkPoint == AppliedOffset)
            {
                return;
            }

            _batch.Clear();
            _added.Clear();
            _counts.Forget();
            // At a check point the mark moves on, over what was delivered.
            long low = checkPoint > AppliedOffset ? FirstDueFrom(_low) : _low;
            foreach (Arrival arrival in _applying)
            {
                Add(arrival);
                low = Math.Min(low, arrival.Entry.DueMs);
            }

            foreach (Settlement settlement in _settling)
            {
                Remove(settlement);
            }

            _counts.AddTo(_batch);
            Span<byte> number = stackalloc byte[sizeof(long)];
            if (checkPoint > AppliedOffset)
            {
                _batch.Put(_progress, ProgressKey, Number(number, checkPoint));
            }

            if (low != _lowWritten)
            {
                _batch.Put(_progress, LowKey, Number(number, low));
            }

            _values.Write(_batch);
            _counts.Commit();
            AppliedOffset = Math.Max(AppliedOffset, checkPoint);
            _lowWritten = low;
            Finish(low);
        }
    }

    /// <summary>
    /// The next entries that are due and that nobody has taken, in order; how many. To be taken with <see cref="TryTake"/> before
    /// anything is done. Also finds out <see cref="NextDueMs"/>.
    /// </summary>
    public int FindDue(long nowMs, Span<TimerEntry> destination)
    {
        (long DueMs, long Offset) cursor;
        lock (_lock)
        {
            cursor = _cursor;
            _wentBack = (long.MaxValue, 0);
            _nextDueMs = long.MaxValue;
        }

        int count = 0;
        long nextDueMs = long.MaxValue;
        (long DueMs, long Offset) end = cursor;
        Span<byte> from = stackalloc byte[KeyBytes];
        using KeyValueScan scan = _values.Scan(_timers, Key(from, cursor.DueMs, cursor.Offset));
        foreach (KeyValueEntry item in scan)
        {
            if (!TryReadEntry(item, out TimerEntry entry))
            {
                continue;
            }

            if (entry.DueMs > nowMs || count == destination.Length)
            {
                nextDueMs = entry.DueMs;
                break;
            }

            end = (entry.DueMs, entry.PhysicalOffset + 1);
            if (!IsTaken(entry.PhysicalOffset))
            {
                destination[count++] = entry;
            }
        }

        lock (_lock)
        {
            // What was added or given back meanwhile may lie before the place that was reached.
            _cursor = _wentBack.CompareTo(end) < 0 ? _wentBack : end;
            _nextDueMs = Math.Min(_nextDueMs, nextDueMs);
        }

        return count;
    }

    /// <summary>
    /// Takes an entry to append what settles it; false if it was taken already. <see cref="GiveBack"/> if nothing could be appended.
    /// </summary>
    public bool TryTake(in TimerEntry entry, ReadOnlySpan<byte> realTopic)
    {
        lock (_lock)
        {
            return _inFlight.TryAdd(entry.PhysicalOffset, new InFlight(entry, TopicIdOf(realTopic)));
        }
    }

    /// <summary>Nothing was appended after all.</summary>
    public void GiveBack(in TimerEntry entry)
    {
        lock (_lock)
        {
            _inFlight.Remove(entry.PhysicalOffset);
            GoBackTo(entry);
        }
    }

    /// <summary>Removes an entry whose record is gone, or that cannot be delivered ever.</summary>
    public void Discard(in TimerEntry entry, ReadOnlySpan<byte> realTopic)
    {
        lock (_lock)
        {
            _inFlight[entry.PhysicalOffset] = new InFlight(entry, TopicIdOf(realTopic));
            _settlements.Enqueue(new Settlement(entry.PhysicalOffset, 0));
        }
    }

    /// <summary>Is the message of this record pending, and nobody has taken it? Only knows what was applied.</summary>
    public bool TryFind(in StoredMessage message, out TimerEntry entry)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        foreach (DueRule rule in _rules)
        {
            if (rule.TryRead(message, out entry) && _values.Contains(_timers, Key(key, entry.DueMs, entry.PhysicalOffset)))
            {
                return !IsTaken(entry.PhysicalOffset);
            }
        }

        entry = default;
        return false;
    }

    /// <summary>Reads an entry's record, without looking at its body; false if it is gone. Clears the slices first.</summary>
    public bool TryReadRecord(in TimerEntry entry, MessageSlices result) => _log?.TryRead(entry.PhysicalOffset, result) == true;

    /// <summary>Does the record still say what the entry does? If not, the entry is of another log.</summary>
    public bool Agrees(in TimerEntry entry, in StoredMessage message)
    {
        foreach (DueRule rule in _rules)
        {
            if (rule.TryRead(message, out TimerEntry read) && read == entry)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Removes the pending messages that another broker has delivered meanwhile. Returns how many.</summary>
    public int RemoveDone(ITimerHistory history)
    {
        int removed = 0;
        using var slices = new MessageSlices();
        using (KeyValueScan scan = _values.Scan(_timers))
        {
            foreach (KeyValueEntry item in scan)
            {
                if (TryReadEntry(item, out TimerEntry entry)
                    && _log!.TryRead(entry.PhysicalOffset, slices)
                    && StoredMessage.TryRead(slices[0], out StoredMessage message, out _)
                    && history.IsDone(message, entry))
                {
                    Discard(entry, RealTopicOf(message));
                    removed++;
                }
            }
        }

        Apply();
        return removed;
    }

    /// <summary>How many messages are pending that nobody has taken, by the topic that they are meant for and by level (0: own time).</summary>
    public (IReadOnlyDictionary<string, long> ByTopic, IReadOnlyDictionary<int, long> ByLevel) Counts()
    {
        var taken = new List<(int TopicId, byte Level)>();
        lock (_applyLock)
        {
            lock (_lock)
            {
                foreach (InFlight inFlight in _inFlight.Values)
                {
                    if (inFlight.IsKnown)
                    {
                        taken.Add((inFlight.TopicId, inFlight.Entry.Level));
                    }
                }
            }

            return _counts.Snapshot(taken);
        }
    }

    /// <summary>When the first entry is due that nobody has taken; <see cref="long.MaxValue"/> for none.</summary>
    public long FirstPendingDueMs()
    {
        long low;
        lock (_lock)
        {
            low = _low;
        }

        Span<byte> from = stackalloc byte[KeyBytes];
        using KeyValueScan scan = _values.Scan(_timers, Key(from, low, 0));
        foreach (KeyValueEntry item in scan)
        {
            if (TryReadEntry(item, out TimerEntry entry) && !IsTaken(entry.PhysicalOffset))
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
        using KeyValueScan scan = _values.Scan(_timers);
        foreach (KeyValueEntry item in scan)
        {
            if (TryReadEntry(item, out TimerEntry entry)
                && entry.PhysicalOffset < first.GetValueOrDefault(entry.Level, long.MaxValue)
                && !IsTaken(entry.PhysicalOffset))
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

    private bool IsTaken(long physicalOffset)
    {
        lock (_lock)
        {
            return _inFlight.ContainsKey(physicalOffset);
        }
    }

    // Under the lock.
    private bool IsSettled(long durable) =>
        _settlements.TryPeek(out Settlement first) && first.RecordEnd <= durable;

    // Moves what can be written to where a failure leaves it. Returns the check point that this makes true.
    private long TakeChanges(int maxRemovals)
    {
        lock (_lock)
        {
            // Read here, or a check point set since would cover removals that this does not take.
            long durable = _log?.DurableOffset ?? 0;
            if (_applying.Count == 0)
            {
                (_applying, _arrivals) = (_arrivals, _applying);
            }
            else
            {
                _applying.AddRange(_arrivals);
                _arrivals.Clear();
            }

            while (_settling.Count < maxRemovals && IsSettled(durable))
            {
                _settling.Add(_settlements.Dequeue());
            }

            // What a check point covers is on disk: its removals are among those taken, if all that could be were.
            return IsSettled(durable) ? AppliedOffset : Math.Max(_checkPoint, AppliedOffset);
        }
    }

    private void Add(in Arrival arrival)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        Key(key, arrival.Entry.DueMs, arrival.Entry.PhysicalOffset);
        if (arrival.IsReplay)
        {
            _added.Add(arrival.Entry.PhysicalOffset);
            if (_values.Contains(_timers, key))
            {
                return;
            }
        }

        _batch.Put(_timers, key, [arrival.Entry.Level, arrival.Entry.IsRoll ? (byte)1 : (byte)0]);
        _counts.Change(arrival.TopicId, arrival.Entry.Level, 1);
    }

    private void Remove(in Settlement settlement)
    {
        InFlight known;
        lock (_lock)
        {
            known = _inFlight.GetValueOrDefault(settlement.PhysicalOffset);
        }

        if (known.IsKnown)
        {
            Delete(known.Entry, known.TopicId);
            return;
        }

        if (_log?.TryRead(settlement.PhysicalOffset, _slices) != true
            || !StoredMessage.TryRead(_slices[0], out StoredMessage message, out _))
        {
            // Its record is gone with its file: so is the message, and the entry goes when it is due.
            return;
        }

        Span<byte> key = stackalloc byte[KeyBytes];
        int topicId = TopicIdOf(message);
        foreach (DueRule rule in _rules)
        {
            if (!rule.TryRead(message, out TimerEntry entry))
            {
                continue;
            }

            bool isThere = _values.Contains(_timers, Key(key, entry.DueMs, entry.PhysicalOffset));
            if (isThere || (ReferenceEquals(rule, _rule) && _added.Contains(entry.PhysicalOffset)))
            {
                Delete(entry, topicId);
                break;
            }
        }

        _slices.Clear();
    }

    private void Delete(in TimerEntry entry, int topicId)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        _batch.Delete(_timers, Key(key, entry.DueMs, entry.PhysicalOffset));
        _counts.Change(topicId, entry.Level, -1);
        _added.Remove(entry.PhysicalOffset);
    }

    private void Finish(long low)
    {
        lock (_lock)
        {
            foreach (Arrival arrival in _applying)
            {
                GoBackTo(arrival.Entry);
            }

            foreach (Settlement settlement in _settling)
            {
                _inFlight.Remove(settlement.PhysicalOffset);
            }

            _applying.Clear();
            _settling.Clear();
            _low = low;
        }
    }

    // Under the lock: an entry is there that whoever looks for due ones must not have passed.
    private void GoBackTo(in TimerEntry entry)
    {
        (long DueMs, long PhysicalOffset) place = (entry.DueMs, entry.PhysicalOffset);
        _cursor = place.CompareTo(_cursor) < 0 ? place : _cursor;
        _wentBack = place.CompareTo(_wentBack) < 0 ? place : _wentBack;

        _nextDueMs = Math.Min(_nextDueMs, entry.DueMs);
    }

    // Deleted entries before the first one cost each walk that passes them; this walk is the last one to do so.
    private long FirstDueFrom(long low)
    {
        Span<byte> from = stackalloc byte[KeyBytes];
        using KeyValueScan scan = _values.Scan(_timers, Key(from, low, 0));
        foreach (KeyValueEntry item in scan)
        {
            if (TryReadEntry(item, out TimerEntry entry))
            {
                return entry.DueMs;
            }
        }

        return low;
    }

    private int TopicIdOf(in StoredMessage message) => TopicIdOf(RealTopicOf(message));

    private int TopicIdOf(ReadOnlySpan<byte> realTopic) =>
        _counts.IdOf(realTopic[..Math.Min(realTopic.Length, QueueTable.MaxTopicBytes)]);

    private long? ReadNumber(ReadOnlySpan<byte> key) =>
        _values.Get(_progress, key) is { Length: sizeof(long) } bytes ? BinaryPrimitives.ReadInt64BigEndian(bytes) : null;

    private static Span<byte> Number(Span<byte> bytes, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    // Times and offsets are not negative, so their bytes stand in their order.
    private static ReadOnlySpan<byte> Key(Span<byte> key, long dueMs, long physicalOffset)
    {
        BinaryPrimitives.WriteInt64BigEndian(key, dueMs);
        BinaryPrimitives.WriteInt64BigEndian(key[sizeof(long)..], physicalOffset);
        return key;
    }

    private static bool TryReadEntry(in KeyValueEntry item, out TimerEntry entry)
    {
        entry = default;
        if (item.Key.Length != KeyBytes || item.Value.Length != 2)
        {
            return false;
        }

        entry = new TimerEntry(
            BinaryPrimitives.ReadInt64BigEndian(item.Key),
            BinaryPrimitives.ReadInt64BigEndian(item.Key[sizeof(long)..]),
            item.Value[0],
            item.Value[1] != 0);
        return true;
    }

    // Entries that were made by earlier rules are found by these.
    private List<DueRule> LoadRules()
    {
        var texts = new List<string>();
        if (_values.Get(_progress, RulesKey) is { } stored)
        {
            texts.AddRange(Encoding.UTF8.GetString(stored).Split('\n'));
        }

        string current = _rule.ToString();
        if (texts.LastOrDefault() != current)
        {
            texts.Remove(current);
            texts.Add(current);
            if (texts.Count > MaxRules)
            {
                texts.RemoveAt(0);
            }

            _values.Put(_progress, RulesKey, Encoding.UTF8.GetBytes(string.Join('\n', texts)));
            if (texts.Count > 1)
            {
                Log.TimerRulesChanged(_logger, current);
            }
        }

        var rules = new List<DueRule> { _rule };
        for (int i = texts.Count - 2; i >= 0; i--)
        {
            if (DueRule.TryParse(texts[i]) is { } earlier)
            {
                rules.Add(earlier);
            }
        }

        return rules;
    }

    /// <summary>An entry to be added.</summary>
    /// <param name="IsReplay">It may be there already.</param>
    private readonly record struct Arrival(TimerEntry Entry, int TopicId, bool IsReplay);

    /// <summary>An entry to be removed.</summary>
    /// <param name="RecordEnd">Where the record ends that says so; 0 if none is needed.</param>
    private readonly record struct Settlement(long PhysicalOffset, long RecordEnd);

    /// <summary>An entry that was taken; without more where only the log has told so.</summary>
    private readonly record struct InFlight(TimerEntry Entry, int TopicId)
    {
        // No record stands at offset 0 that is due at 0.
        public bool IsKnown => Entry.DueMs != 0;
    }
}
