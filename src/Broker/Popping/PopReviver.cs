using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Retries;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Flushing;
using GrayMQ.Store.Pops;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// Gives messages back whose time is up: to the retry topic of their topic, one attempt further, or to the group's dead letters; and
/// wakes pops whose queue's lock is over. Sleeps until the earliest is due.
/// </summary>
/// <remarks>
/// Each message goes back once, whatever ends the process: before the first of a round is appended, the database is told from where in
/// the log on copies may stand (<see cref="PopStore.BeginRevival"/>); each copy names its original; when all are on disk, the check
/// points go, and the note with them. After a crash in between, <see cref="PopRecovery"/> finds the copies from the note on.
/// </remarks>
internal sealed class PopReviver : IDisposable
{
    /// <summary>Batches of one round.</summary>
    private const int MaxRound = 256;

    // What could not be given back, because the disk is full or a file cannot be read, is tried again.
    private const int RetryMs = 1000;

    // What is due within this time is one round, with one write that waits for the disk.
    private const int MinSleepMs = 50;
    private static readonly TimeSpan MaxSleep = TimeSpan.FromMinutes(10);

    private readonly PopOptions _options;
    private readonly PopStore _pops;
    private readonly MessageStore _messages;
    private readonly MessageIntake _intake;
    private readonly FailedMessages _failed;
    private readonly TopicTable _topics;
    private readonly SubscriptionGroupTable _groups;
    private readonly ConsumerOffsetTable _offsets;
    private readonly PopTargets _targets;
    private readonly ParkedPops _parked;
    private readonly TimeProvider _time;
    private readonly ILogger<PopReviver> _logger;
    private readonly ITimer _timer;
    private readonly List<PopDue> _due = [];
    private readonly List<PopRevival> _round = [];
    private readonly MessageSlices _slices = new();
    private readonly SemaphoreSlim _running = new(1);
    private readonly Lock _sleeping = new();
    private long _roundEnd;

    // When the timer is set to go off; MaxValue when it is not, or nobody would act on it.
    private long _wakesAtMs = long.MaxValue;
    private bool _closed;

    public PopReviver(
        PopOptions options,
        PopState pops,
        MessageStore messages,
        MessageIntake intake,
        FailedMessages failed,
        TopicTable topics,
        SubscriptionGroupTable groups,
        ConsumerOffsetTable offsets,
        TimeProvider time,
        ILogger<PopReviver> logger)
    {
        _options = options;
        _pops = pops.CheckPoints;
        _messages = messages;
        _intake = intake;
        _failed = failed;
        _topics = topics;
        _groups = groups;
        _offsets = offsets;
        _targets = pops.Targets;
        _parked = pops.Parked;
        _time = time;
        _logger = logger;
        _timer = time.CreateTimer(
            static reviver => _ = ((PopReviver)reviver!).RunAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public void Start()
    {
        _pops.EarlierDue = due => SleepUntil(due);
        SleepUntil(_pops.EarliestDueMs);
    }

    /// <summary>Waits for the round that runs and begins no more; what is due stays for the next start.</summary>
    public async ValueTask StopAsync()
    {
        Volatile.Write(ref _closed, true);
        await _running.WaitAsync().ConfigureAwait(false);
        _running.Release();
    }

    public void Dispose()
    {
        lock (_sleeping)
        {
            Volatile.Write(ref _closed, true);
        }

        _pops.EarlierDue = null;
        _timer.Dispose();
        _slices.Dispose();
    }

    private void SleepUntil(long dueMs)
    {
        lock (_sleeping)
        {
            if (dueMs >= _wakesAtMs || Volatile.Read(ref _closed))
            {
                return;
            }

            _wakesAtMs = dueMs;
            _timer.Change(
                TimeSpan.FromMilliseconds(Math.Clamp(dueMs - NowMs, MinSleepMs, (long)MaxSleep.TotalMilliseconds)),
                Timeout.InfiniteTimeSpan);
        }
    }

    private async Task RunAsync()
    {
        // Who runs looks for what is earliest when he is done.
        if (!await _running.WaitAsync(0).ConfigureAwait(false))
        {
            return;
        }

        long earliest = 0;
        try
        {
            while (!Volatile.Read(ref _closed) && await RunRoundAsync().ConfigureAwait(false))
            {
            }
        }
        catch (Exception e)
        {
            Log.RevivalFailed(_logger, e);
            earliest = NowMs + RetryMs;
        }
        finally
        {
            _running.Release();
        }

        lock (_sleeping)
        {
            _wakesAtMs = long.MaxValue;
        }

        if (Math.Max(_pops.EarliestDueMs, earliest) is < long.MaxValue and long next)
        {
            SleepUntil(next);
        }
    }

    // False when nothing more is due.
    private async Task<bool> RunRoundAsync()
    {
        if (_round.Count == 0)
        {
            _due.Clear();
            _pops.CopyDue(NowMs, MaxRound, _due);
            if (_due.Count == 0)
            {
                return false;
            }

            Revive(NowMs);
        }

        // Also what a round before has left behind because it could not be flushed or its end not be written.
        FlushStatus flushed = FlushStatus.TimedOut;
        while (flushed == FlushStatus.TimedOut)
        {
            flushed = await _intake.WaitForFlushAsync(_roundEnd).ConfigureAwait(false);
        }

        if (flushed != FlushStatus.Flushed)
        {
            throw new IOException($"messages that were given back are not known to be on disk: {flushed}");
        }

        if (_round.Count > 0 || _pops.RevivalOffset is not null)
        {
            _pops.EndRevival(_round);
            _round.Clear();
        }

        return true;
    }

    private void Revive(long now)
    {
        _roundEnd = 0;
        foreach (PopDue due in _due)
        {
            if (due is OrderedBatch ordered)
            {
                Release(ordered, now);
            }
            else if (due is PopCheckPoint checkPoint)
            {
                _pops.BeginRevival(_messages.MaxPhysicalOffset);
                if (PopStore.TryBegin(checkPoint, now))
                {
                    _round.Add(Revive(checkPoint, now));
                }
            }
        }
    }

    private void Release(OrderedBatch ordered, long now)
    {
        if (_pops.TryRelease(ordered, now) && _targets.Find(ordered.Queue.Group, ordered.Queue.Topic) is { } target)
        {
            _parked.WakeOne(target, ordered.Queue.QueueId);
        }
    }

    private PopRevival Revive(PopCheckPoint checkPoint, long now)
    {
        PopQueue popped = checkPoint.Queue;
        uint done = 0;
        for (int i = 0; i < checkPoint.Count; i++)
        {
            if (!checkPoint.IsUnacked(i))
            {
                continue;
            }

            long offset = checkPoint.OffsetAt(i);
            try
            {
                if (_groups.FindExisting(popped.Group) is not { } group
                    || _topics.Find(popped.Topic) is not { } topic
                    || !TryRead(popped, offset, out StoredMessage message))
                {
                    // Nobody can get it any more.
                    Log.PoppedMessageGone(_logger, popped.Group, popped.Topic, popped.QueueId, offset);
                    done |= 1u << i;
                    continue;
                }

                if (!checkPoint.IsPutOff && DelayMs(group, message.ReconsumeTimes) is > 0 and long delay)
                {
                    // The batch waits as its first message has to.
                    return new PopRevival(checkPoint, done, now + delay, PutOff: true);
                }

                string origin = OriginOf(popped);
                AppendResult result = _failed.Revive(
                    in message, group, topic, origin, checkPoint.Id.PopTimeMs, _options.RetryTopicSecondForm);
                if (!result.IsOk)
                {
                    Log.NotRevived(_logger, popped.Group, popped.Topic, popped.QueueId, offset, result.Status);
                    if (result.Status is AppendStatus.PropertiesSizeExceeded or AppendStatus.MessageIllegal)
                    {
                        // Refused for its own sake: it holds up no other.
                        continue;
                    }

                    break;
                }

                done |= 1u << i;
                _roundEnd = Math.Max(_roundEnd, result.EndOffset);
                BeginRetryTopic(popped, topic, origin);
            }
            catch (IOException e)
            {
                Log.PoppedMessageUnreadable(_logger, e, popped.Group, popped.Topic, popped.QueueId, offset);
            }
            finally
            {
                _slices.Clear();
            }
        }

        return new PopRevival(checkPoint, done, now + RetryMs, checkPoint.IsPutOff);
    }

    // A group that has no retry policy of its own gets its messages as soon as their time is up.
    private static long DelayMs(SubscriptionGroupConfig group, int reconsumeTimes)
    {
        if (group.GroupRetryPolicy is not { } policy)
        {
            return 0;
        }

        bool isOwn = policy.Type == GroupRetryPolicyType.Exponential
            ? policy.ExponentialRetryPolicy is not null
            : policy.CustomizedRetryPolicy is not null;
        return isOwn ? (long)policy.NextDelay(reconsumeTimes).TotalMilliseconds : 0;
    }

    private bool TryRead(PopQueue popped, long offset, out StoredMessage message)
    {
        message = default;
        return _messages.FindQueue(popped.Topic, popped.QueueId) is { } queue
            && _messages.Read(queue, offset, 1, int.MaxValue, null, _slices) == ReadStatus.Found
            && _slices.QueueOffsetOf(0) == offset
            && StoredMessage.TryRead(_slices[0], out message, out _);
    }

    // The group stands at the beginning of its retry topic, and is seen to, before it has popped from it.
    private void BeginRetryTopic(PopQueue popped, Topic topic, string origin)
    {
        if (topic.IsRetry)
        {
            return;
        }

        string retry = TopicNames.PopRetryOf(origin, popped.Group, _options.RetryTopicSecondForm);
        if (_topics.Find(retry) is not null && _offsets.Find(popped.Group, retry, 0) == ConsumerOffsetTable.None)
        {
            _offsets.Commit(popped.Group, retry, 0, 0);
        }
    }

    // The topic that a message of a pop's retry topic was sent to.
    private static string OriginOf(PopQueue popped)
    {
        string prefix = TopicNames.RetryOf(popped.Group);
        return popped.Topic.StartsWith(prefix, StringComparison.Ordinal)
            && popped.Topic.Length > prefix.Length + 1
            && popped.Topic[prefix.Length] is '_' or '+'
                ? popped.Topic[(prefix.Length + 1)..]
                : popped.Topic;
    }
}
