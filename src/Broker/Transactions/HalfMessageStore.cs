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
/// those.
/// </summary>
internal sealed partial class HalfMessageStore : ILogFollower
{
    private const string FollowerName = "halves";

    // Beyond, the oldest go to the database at once, so many at a time.
    private const int MaxYoung = 65_536;
    private const int MovedAtOnce = 1024;

    // Owed, and the database knows it.
    private const long InDatabase = long.MaxValue;

    private static readonly byte[] HalfTopicName = Encoding.UTF8.GetBytes(TopicNames.TransactionHalf);
    private static readonly byte[] OperationTopicName = Encoding.UTF8.GetBytes(TopicNames.TransactionOperation);
    private static readonly byte[] ProgressKey = Encoding.UTF8.GetBytes(FollowerName);

    private readonly StateStore _states;
    private readonly TransactionOptions _options;
    private readonly Lock _gate = new();
    private readonly HalfTopics _topics = new();
    private readonly YoungHalves _young = new();
    private readonly OldHalves _old;

    // By queue offset: from which record on the log has to be shown again to know it, or InDatabase.
    private readonly Dictionary<long, long> _owed = [];

    // Roots of those that somebody is ending, or checking, until the record that says so comes by.
    private readonly HashSet<long> _ending = [];
    private readonly HashSet<long> _checking = [];

    private Func<long>? _dispatchedOffset;
    private long? _first;
    private long _applied;
    private long _shownTo;
    private long _nextQueueOffset;
    private long _nextOperationOffset;

    /// <exception cref="KeyValueStoreException">The database cannot be read.</exception>
    public HalfMessageStore(StateStore states, TransactionOptions options)
    {
        _states = states;
        _options = options;
        _old = new OldHalves(states.Values, states.Halves, _topics);
        _old.Load();
        _first = _old.FindFirst();
        foreach (long queueOffset in _old.Owed())
        {
            _owed[queueOffset] = InDatabase;
        }

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
                return _topics.All.Sum(topic => topic.Count);
            }
        }
    }

    /// <summary>From now on records are new ones.</summary>
    /// <param name="dispatchedOffset">Everything below has been shown.</param>
    /// <param name="nextQueueOffset">Of the queue of half messages.</param>
    /// <param name="nextOperationOffset">Of the operation queue.</param>
    public void Start(Func<long> dispatchedOffset, long nextQueueOffset, long nextOperationOffset)
    {
        lock (_gate)
        {
            _dispatchedOffset = dispatchedOffset;
            _nextQueueOffset = Math.Max(_nextQueueOffset, nextQueueOffset);
            _nextOperationOffset = Math.Max(_nextOperationOffset, nextOperationOffset);
        }
    }

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
            if (_first is null)
            {
                _old.PutFirst(message.PhysicalOffset);
                _first = message.PhysicalOffset;
            }

            if (isHalf)
            {
                asked = OnHalf(in message);
                _nextQueueOffset = Math.Max(_nextQueueOffset, message.QueueOffset + 1);
            }
            else
            {
                if (message.PreparedTransactionOffset > 0)
                {
                    End(message.PreparedTransactionOffset);
                }

                if (isOperation)
                {
                    OnOperation(in message);
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

    public void OnLogCut(long logEnd)
    {
        lock (_gate)
        {
            var lost = new List<HalfMessage>();
            using KeyValueBatch batch = _old.NewBatch();
            foreach (HalfMessage half in _old.All(long.MinValue, int.MaxValue))
            {
                if (half.Root >= logEnd)
                {
                    _old.Remove(batch, in half);
                    lost.Add(half);
                }
                else if (half.PhysicalOffset >= logEnd)
                {
                    // The record of its last check is gone, the one that was sent is not.
                    _old.Replace(batch, in half, half with { PhysicalOffset = half.Root, QueueOffset = -1 });
                }
            }

            foreach (long queueOffset in _owed.Keys)
            {
                // Other messages will have these offsets.
                _old.RemoveOwed(batch, queueOffset);
            }

            WriteApplied(batch, logEnd);
            lost.ForEach(Ended);
            _owed.Clear();
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
            if (_ending.Contains(root))
            {
                return false;
            }

            // In this order: what is not known and has not been shown either has not ended.
            if (!TryFind(root, out _) && root < _dispatchedOffset!())
            {
                return false;
            }

            _ending.Add(root);
            return true;
        }
    }

    /// <summary>Is this the record of the transaction's last check, or the root where it was not checked?</summary>
    public bool IsLastRecord(long root, long physicalOffset)
    {
        lock (_gate)
        {
            return TryFind(root, out HalfMessage half) && half.PhysicalOffset == physicalOffset;
        }
    }

    /// <summary>The record that was to end the transaction could not be stored.</summary>
    public void CancelEnding(long root)
    {
        lock (_gate)
        {
            _ending.Remove(root);
        }
    }

    /// <summary>Those that are due, and that nobody is at; to be checked, given up or forgotten, with <see cref="TryBeginChecking"/> first.</summary>
    public List<HalfMessage> Due(long nowMs, int max)
    {
        lock (_gate)
        {
            var due = new List<HalfMessage>();
            foreach (long root in _old.Due(nowMs, max))
            {
                if (!_ending.Contains(root) && !_checking.Contains(root) && _old.TryFind(root, out HalfMessage half))
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
            return TryFind(root, out _) && !_ending.Contains(root) && _checking.Add(root);
        }
    }

    /// <summary>The record of a check could not be stored.</summary>
    public void CancelChecking(long root)
    {
        lock (_gate)
        {
            _checking.Remove(root);
        }
    }

    /// <summary>Forgets a transaction whose half message is not in the log any more. Throws IOException.</summary>
    public void Forget(long root)
    {
        lock (_gate)
        {
            if (_old.TryFind(root, out HalfMessage half))
            {
                using KeyValueBatch batch = _old.NewBatch();
                _old.Remove(batch, in half);
                _old.Write(batch);
                Ended(half);
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
            MoveYoung(long.MaxValue);
            List<HalfMessage> passed = _old.All(long.MinValue, int.MaxValue);
            passed.RemoveAll(half => half.QueueOffset < 0 || half.QueueOffset >= queueOffset);
            using KeyValueBatch batch = _old.NewBatch();
            foreach (HalfMessage half in passed)
            {
                _old.Remove(batch, in half);
            }

            _old.Write(batch);
            passed.ForEach(Ended);
            return passed.Count;
        }
    }

    /// <summary>Queue offsets of ended transactions that no operation record names yet, in order.</summary>
    public List<long> Owed()
    {
        lock (_gate)
        {
            return [.. _owed.Keys.Order()];
        }
    }

    /// <summary>Writes down what is older than that, and how far the log need not be shown again. Throws IOException.</summary>
    public void Save(long storedBeforeMs)
    {
        lock (_gate)
        {
            MoveYoung(storedBeforeMs);
            long applied = _young.TryPeek(out HalfMessage oldest) ? Math.Min(_shownTo, oldest.Root) : _shownTo;
            foreach (long bound in _owed.Values)
            {
                applied = Math.Min(applied, bound);
            }

            if (applied > _applied)
            {
                using KeyValueBatch batch = _old.NewBatch();
                WriteApplied(batch, applied);
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
                _young.TryPeek(out HalfMessage oldest) ? oldest.QueueOffset : _nextQueueOffset,
                _old.MinQueueOffset() ?? _nextQueueOffset);
            return (half, _old.PassOperations(half) ?? _nextOperationOffset);
        }
    }

    /// <summary>Pending transactions, the oldest first, from a root on.</summary>
    public List<HalfMessage> List(long fromRoot, int max)
    {
        lock (_gate)
        {
            List<HalfMessage> found = _old.All(fromRoot, max);
            found.AddRange(_young.All().Where(half => half.Root >= fromRoot));
            found.Sort(static (one, other) => one.Root.CompareTo(other.Root));
            return found.Count > max ? found[..max] : found;
        }
    }

    /// <summary>How many are pending of each topic.</summary>
    public List<KeyValuePair<string, long>> CountByTopic()
    {
        lock (_gate)
        {
            return [.. _topics.All.Select(topic => KeyValuePair.Create(topic.Name, topic.Count))];
        }
    }

    private bool IsLive => _dispatchedOffset is not null;

    private bool TryFind(long root, out HalfMessage half) => _young.TryFind(root, out half) || _old.TryFind(root, out half);
}
