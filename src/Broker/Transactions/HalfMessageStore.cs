using System.Buffers.Binary;
using System.Text;
using GrayMQ.Broker.States;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// Which transactions have not ended: a function of the log, which it follows.
/// <list type="bullet">
/// <item>A record in the queue of half messages begins one; if its PreparedTransactionOffset names an earlier half message, it takes
/// that one's place (it was checked).</item>
/// <item>Any other record whose PreparedTransactionOffset names a half message ends it: what was committed, in its topic; a rollback,
/// in the operation queue; what was given up, in the topic for that. So a transaction has ended with the very append that ends it.</item>
/// <item>A record in the operation queue ends those whose queue offsets it names. RocketMQ knows no other sign, so what has ended
/// otherwise is owed to that queue until a record there names it.</item>
/// </list>
/// Most transactions end within the second that they are kept in memory alone; <see cref="AppliedOffset"/> stays before the first of
/// those, and before the first whose end the disk may not have.
/// </summary>
internal sealed class HalfMessageStore : ILogFollower
{
    private const string FollowerName = "halves";

    private static readonly byte[] HalfTopicName = Encoding.UTF8.GetBytes(TopicNames.TransactionHalf);
    private static readonly byte[] OperationTopicName = Encoding.UTF8.GetBytes(TopicNames.TransactionOperation);
    private static readonly byte[] ProgressKey = Encoding.UTF8.GetBytes(FollowerName);

    private readonly StateStore _states;
    private readonly Lock _gate = new();
    private readonly HalfTransactions _halves;

    private ILogView? _log;
    private Func<long>? _dispatchedOffset;
    private long _newFrom = long.MaxValue;
    private long _applied;
    private long _shownTo;
    private long _nextQueueOffset;
    private long _nextOperationOffset;

    /// <exception cref="KeyValueStoreException">The database cannot be read.</exception>
    public HalfMessageStore(StateStore states, TransactionOptions options)
    {
        _states = states;
        _halves = new HalfTransactions(states, options);
        _applied = states.Values.Get(states.Progress, ProgressKey) is { Length: sizeof(long) } bytes
            ? BinaryPrimitives.ReadInt64BigEndian(bytes)
            : -1;
        _shownTo = _applied;
    }

    /// <summary>Raised for a transaction that was checked: its half message is stored anew, now its producers are to be asked.</summary>
    public event Action<HalfMessage>? Checked;

    public string Name => FollowerName;

    public long AppliedOffset
    {
        get
        {
            lock (_gate)
            {
                return _applied;
            }
        }
    }

    /// <summary>Transactions that have not ended.</summary>
    public long Count
    {
        get
        {
            lock (_gate)
            {
                return _halves.Topics.All.Sum(topic => topic.Count);
            }
        }
    }

    /// <summary>
    /// Has everything been shown that the log held at the start? Not where a full disk stopped it: until then, what has ended may seem
    /// not to have.
    /// </summary>
    public bool IsCaughtUp
    {
        get
        {
            lock (_gate)
            {
                return _dispatchedOffset is not null && _dispatchedOffset() >= _newFrom;
            }
        }
    }

    /// <summary>
    /// The log is open, and nothing was appended yet. Returns how many transactions wait again because a power failure has taken what
    /// ended or checked them. Throws IOException.
    /// </summary>
    /// <param name="dispatchedOffset">Everything below has been shown.</param>
    /// <param name="logEnd">From there on records are new ones.</param>
    /// <param name="nextQueueOffset">Of the queue of half messages.</param>
    /// <param name="nextOperationOffset">Of the operation queue.</param>
    public int Start(Func<long> dispatchedOffset, long logEnd, long nextQueueOffset, long nextOperationOffset)
    {
        lock (_gate)
        {
            int waiting = _halves.Recover(logEnd, nextQueueOffset);
            _dispatchedOffset = dispatchedOffset;
            _newFrom = logEnd;
            _nextQueueOffset = Math.Max(_nextQueueOffset, nextQueueOffset);
            _nextOperationOffset = Math.Max(_nextOperationOffset, nextOperationOffset);
            return waiting;
        }
    }

    public void OnOpening(ILogView log) => _log = log;

    public bool Follows(ReadOnlySpan<byte> topic) => topic.SequenceEqual(HalfTopicName) || topic.SequenceEqual(OperationTopicName);

    public void OnRecord(in StoredMessage message)
    {
        bool isHalf = message.Topic.SequenceEqual(HalfTopicName);
        bool isOperation = !isHalf && message.Topic.SequenceEqual(OperationTopicName);
        if (!isHalf && !isOperation && message.PreparedTransactionOffset <= 0)
        {
            // A timer's.
            return;
        }

        HalfMessage? asked = null;
        lock (_gate)
        {
            _halves.BeginAt(message.PhysicalOffset);
            if (isHalf)
            {
                asked = _halves.OnHalf(in message, isNew: message.PhysicalOffset >= _newFrom);
                _nextQueueOffset = Math.Max(_nextQueueOffset, message.QueueOffset + 1);
            }
            else
            {
                if (message.PreparedTransactionOffset > 0)
                {
                    _halves.OnEnding(in message);
                }

                if (isOperation)
                {
                    _halves.OnOperation(in message);
                    _nextOperationOffset = Math.Max(_nextOperationOffset, message.QueueOffset + 1);
                }
            }

            _shownTo = message.PhysicalOffset + message.TotalSize;
        }

        if (asked is { } half)
        {
            Checked?.Invoke(half);
        }
    }

    public void OnCheckPoint(long offset)
    {
        lock (_gate)
        {
            _shownTo = Math.Max(_shownTo, offset);
        }
    }

    // What names records that are gone is undone at the start, which need not have come through here: the database may know more of the
    // log than it says to have applied.
    public void OnLogCut(long logEnd)
    {
        lock (_gate)
        {
            WriteApplied(logEnd, sync: true);
            _shownTo = logEnd;
        }
    }

    /// <summary>
    /// Lets the caller end a transaction, and nobody else until it says <see cref="CancelEnding"/> or the record that ends it has
    /// come by. False if it has ended or somebody is at it.
    /// </summary>
    /// <param name="root">From a record that was found in the queue of half messages.</param>
    public bool TryBeginEnding(long root)
    {
        lock (_gate)
        {
            if (_halves.Claims.IsEnding(root))
            {
                return false;
            }

            // In this order: what is not known and has not been shown either has not ended.
            bool hasEnded = !_halves.TryFind(root, out _) && root < _dispatchedOffset!();
            return !hasEnded && _halves.Claims.TryBeginEnding(root);
        }
    }

    /// <summary>Is this the record of the transaction's last check, or the root where it was not checked?</summary>
    public bool IsLastRecord(long root, long physicalOffset)
    {
        lock (_gate)
        {
            return _halves.TryFind(root, out HalfMessage half) && half.PhysicalOffset == physicalOffset;
        }
    }

    /// <summary>The record that was to end the transaction could not be stored.</summary>
    public void CancelEnding(long root)
    {
        lock (_gate)
        {
            _halves.Claims.StopEnding(root);
        }
    }

    /// <summary>Those that are due, and that nobody is at; to be checked, given up or forgotten, with <see cref="TryBeginChecking"/> first.</summary>
    public List<HalfMessage> Due(long nowMs, int max)
    {
        lock (_gate)
        {
            var due = new List<HalfMessage>();
            foreach (long root in _halves.Old.Due(nowMs, max))
            {
                if (_halves.Claims.IsFree(root) && _halves.Old.TryFind(root, out HalfMessage half))
                {
                    due.Add(half);
                }
            }

            return due;
        }
    }

    /// <summary>Keeps a transaction from being found due until the record of its check has come by; false if it has ended.</summary>
    public bool TryBeginChecking(long root)
    {
        lock (_gate)
        {
            return _halves.TryFind(root, out _) && _halves.Claims.TryBeginChecking(root);
        }
    }

    /// <summary>The record of a check could not be stored.</summary>
    public void CancelChecking(long root)
    {
        lock (_gate)
        {
            _halves.Claims.StopChecking(root);
        }
    }

    /// <summary>Forgets a transaction whose half message is not in the log any more. Throws IOException.</summary>
    public void Forget(long root)
    {
        lock (_gate)
        {
            if (_halves.Old.TryFind(root, out HalfMessage half))
            {
                _halves.Forget([half]);
            }
        }
    }

    /// <summary>
    /// Forgets those whose record stands before a queue offset: RocketMQ, which had the store in between, has passed them. Returns how
    /// many. Throws IOException.
    /// </summary>
    public int ForgetBefore(long queueOffset)
    {
        lock (_gate)
        {
            _halves.MoveYoung(long.MaxValue);
            List<HalfMessage> passed = _halves.Old.All(long.MinValue, int.MaxValue);
            passed.RemoveAll(half => half.QueueOffset < 0 || half.QueueOffset >= queueOffset);
            _halves.Forget(passed);
            return passed.Count;
        }
    }

    /// <summary>Queue offsets of ended transactions that no operation record names yet, in order.</summary>
    public List<long> Owed()
    {
        lock (_gate)
        {
            return _halves.Owed.All();
        }
    }

    /// <summary>Writes down what is older than that, and how far the log need not be shown again. Throws IOException.</summary>
    public void Save(long storedBeforeMs)
    {
        lock (_gate)
        {
            _halves.ForgetEnded(_log?.DurableOffset ?? 0);
            _halves.MoveYoung(storedBeforeMs);
            long applied = Math.Min(_shownTo, _halves.Bound);
            if (applied > _applied)
            {
                WriteApplied(applied, sync: false);
            }
        }
    }

    /// <summary>
    /// From where RocketMQ would have to read the queue of half messages, and that of operations, to know what is known here.
    /// Throws IOException.
    /// </summary>
    public (long Half, long Operation) ResumeOffsets()
    {
        lock (_gate)
        {
            long half = Math.Min(
                _halves.Young.TryPeek(out HalfMessage oldest) ? oldest.QueueOffset : _nextQueueOffset,
                _halves.Old.MinQueueOffset() ?? _nextQueueOffset);
            return (half, _halves.Old.PassOperations(half) ?? _nextOperationOffset);
        }
    }

    /// <summary>Pending transactions, the oldest first, from a root on.</summary>
    public List<HalfMessage> List(long fromRoot, int max)
    {
        lock (_gate)
        {
            List<HalfMessage> found = _halves.Old.All(fromRoot, max);
            found.AddRange(_halves.Young.All().Where(half => half.Root >= fromRoot));
            found.Sort(static (one, other) => one.Root.CompareTo(other.Root));
            return found.Count > max ? found[..max] : found;
        }
    }

    /// <summary>How many are pending of each topic.</summary>
    public List<KeyValuePair<string, long>> CountByTopic()
    {
        lock (_gate)
        {
            return [.. _halves.Topics.All.Select(topic => KeyValuePair.Create(topic.Name, topic.Count))];
        }
    }

    private void WriteApplied(long applied, bool sync)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(value, applied);
        _states.Values.Put(_states.Progress, ProgressKey, value, sync);
        _applied = applied;
    }
}
