using GrayMQ.Broker.Offsets;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// The clock of transactions: has them checked, names in the operation queue what has ended, and keeps the offsets by which RocketMQ
/// would go on (those of the group CID_RMQ_SYS_TRANS).
/// </summary>
internal sealed class TransactionCoordinator : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    // Half messages that are younger are kept in memory alone.
    private const long YoungMs = 1000;

    private readonly HalfMessageStore _halves;
    private readonly TransactionChecker _checker;
    private readonly OperationWriter _operations;
    private readonly MessageStore _store;
    private readonly ConsumerOffsetTable _offsets;
    private readonly TransactionOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _round = new();
    private ITimer? _timer;
    private long _operationsDueMs;
    private long _firstHalf;
    private long _firstOperation;
    private bool _isLive;
    private bool _stopped;

    public TransactionCoordinator(
        HalfMessageStore halves,
        TransactionChecker checker,
        ProducerAsker asker,
        OperationWriter operations,
        MessageStore store,
        ConsumerOffsetTable offsets,
        TransactionOptions options,
        TimeProvider time,
        ILogger<TransactionCoordinator> logger)
    {
        _halves = halves;
        _checker = checker;
        _operations = operations;
        _store = store;
        _offsets = offsets;
        _options = options;
        _time = time;
        _logger = logger;
        halves.Checked += asker.Ask;
    }

    /// <summary>Begins, once the store is open and before anything is appended. Throws IOException.</summary>
    public void Start()
    {
        _firstHalf = NextOffset(TopicNames.TransactionHalf);
        _firstOperation = NextOffset(TopicNames.TransactionOperation);
        int waiting = _halves.Start(() => _store.DispatchedOffset, _store.OpenedAtOffset, _firstHalf, _firstOperation);
        if (waiting > 0)
        {
            Log.TransactionsWaitAgain(_logger, waiting);
        }

        TryGoLive();
        _operationsDueMs = NowMs();
        _timer = _time.CreateTimer(_ => Run(), null, Period, Period);
    }

    /// <summary>Leaves behind what RocketMQ would need; nothing ends any more.</summary>
    public void Stop()
    {
        Dispose();
        lock (_round)
        {
            _stopped = true;
            try
            {
                if (!TryGoLive())
                {
                    _halves.Save(long.MaxValue);
                    return;
                }

                if (_operations.TryAppend(_halves.Owed()))
                {
                    // Until the dispatcher has come to it.
                    SpinWait.SpinUntil(() => _halves.Owed().Count == 0, StopTimeout);
                }

                _halves.Save(long.MaxValue);
                CommitOffsets();
            }
            catch (IOException e)
            {
                Log.TransactionRoundFailed(_logger, e);
            }
        }
    }

    public void Dispose() => _timer?.Dispose();

    // Where the disk was full, the store opens before everything was shown. False until it was.
    private bool TryGoLive()
    {
        if (_isLive || !_halves.IsCaughtUp)
        {
            return _isLive;
        }

        TakeOver();
        _isLive = true;
        long pending = _halves.Count;
        if (pending > 0)
        {
            Log.TransactionsPending(_logger, pending);
        }

        return true;
    }

    private long NextOffset(string topic) =>
        _store.FindQueue(topic, HalfMessageIntake.QueueId) is { } queue ? _store.NextQueueOffset(queue) : 0;

    // What stands before RocketMQ's offset it has seen to. Our own offset never passes what is pending, so this is for a store that
    // RocketMQ has had.
    private void TakeOver()
    {
        long half = Clamp(TopicNames.TransactionHalf, _firstHalf);
        Clamp(TopicNames.TransactionOperation, _firstOperation);
        if (half > 0 && _halves.ForgetBefore(half) is > 0 and int passed)
        {
            Log.TransactionsPassed(_logger, passed, half);
        }
    }

    // After a power failure the log may end before an offset that was committed: what comes next must not lie before it.
    private long Clamp(string topic, long next)
    {
        long offset = _offsets.Find(GroupNames.Transaction, topic, HalfMessageIntake.QueueId);
        if (offset > next)
        {
            _offsets.Commit(GroupNames.Transaction, topic, HalfMessageIntake.QueueId, next);
            return next;
        }

        return offset;
    }

    private void Run()
    {
        // A round that takes longer than the period is not overtaken by the next one.
        if (!_round.TryEnter())
        {
            return;
        }

        try
        {
            if (!_stopped && TryGoLive())
            {
                RunRound();
            }
        }
        catch (Exception e)
        {
            // Tried again in the next round.
            Log.TransactionRoundFailed(_logger, e);
        }
        finally
        {
            _round.Exit();
        }
    }

    private void RunRound()
    {
        long nowMs = NowMs();
        _halves.Save(nowMs - YoungMs);
        _checker.CheckDue();
        if (nowMs >= _operationsDueMs)
        {
            _operationsDueMs = nowMs + _options.OperationIntervalMs.Value;
            _operations.TryAppend(_halves.Owed());
            CommitOffsets();
        }
    }

    private void CommitOffsets()
    {
        (long half, long operation) = _halves.ResumeOffsets();
        Commit(TopicNames.TransactionHalf, half);
        Commit(TopicNames.TransactionOperation, operation);
    }

    private void Commit(string topic, long offset)
    {
        if (offset > Math.Max(0, _offsets.Find(GroupNames.Transaction, topic, HalfMessageIntake.QueueId)))
        {
            _offsets.Commit(GroupNames.Transaction, topic, HalfMessageIntake.QueueId, offset);
        }
    }

    private long NowMs() => _time.GetUtcNow().ToUnixTimeMilliseconds();
}
