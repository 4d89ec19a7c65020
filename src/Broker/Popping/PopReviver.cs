using GrayMQ.Broker.Sending;
using GrayMQ.Store;
using GrayMQ.Store.Flushing;
using GrayMQ.Store.Pops;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// Gives messages back whose time is up: to the retry topic of their topic, one attempt further, or to the group's dead letters; and
/// wakes pops whose queue's lock is over. Sleeps until the earliest is due.
/// </summary>
/// <remarks>
/// Each message goes back once, whatever ends the process: before the first of a round is appended, the database is told from where in
/// the log on copies may stand (<see cref="PopRevivals.Announce"/>); each copy names its original; when all are on disk, the check
/// points go, and the note with them. After a crash in between, <see cref="PopRecovery"/> finds the copies from the note on.
/// </remarks>
internal sealed class PopReviver : IDisposable
{
    /// <summary>Batches of one round.</summary>
    private const int MaxRound = 256;

    // A round that failed as a whole, because the databases refuse, is tried again.
    private const int RetryMs = 1000;

    // What is due within this time is one round, with one write that waits for the disk.
    private const int MinSleepMs = 50;
    private static readonly TimeSpan MaxSleep = TimeSpan.FromMinutes(10);

    private readonly PopRevivals _revivals;
    private readonly OrderedPops _ordered;
    private readonly MessageStore _messages;
    private readonly MessageIntake _intake;
    private readonly OverdueMessages _overdue;
    private readonly PopTargets _targets;
    private readonly ParkedPops _parked;
    private readonly TimeProvider _time;
    private readonly ILogger<PopReviver> _logger;
    private readonly ITimer _timer;
    private readonly List<PopDue> _due = [];
    private readonly List<PopRevival> _round = [];
    private readonly SemaphoreSlim _running = new(1);
    private readonly Lock _sleeping = new();

    // When the timer is set to go off; MaxValue when it is not, or nobody would act on it.
    private long _wakesAtMs = long.MaxValue;
    private bool _closed;

    public PopReviver(
        PopState pops, MessageStore messages, MessageIntake intake, OverdueMessages overdue, TimeProvider time, ILogger<PopReviver> logger)
    {
        _revivals = pops.CheckPoints.Revivals;
        _ordered = pops.CheckPoints.Ordered;
        _messages = messages;
        _intake = intake;
        _overdue = overdue;
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
        _revivals.EarlierDue = SleepUntil;
        SleepUntil(_revivals.EarliestDueMs);
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

        _revivals.EarlierDue = null;
        _timer.Dispose();
        _overdue.Dispose();
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

        if (Math.Max(_revivals.EarliestDueMs, earliest) is < long.MaxValue and long next)
        {
            SleepUntil(next);
        }
    }

    // False when nothing more is due, or nothing of it can be dealt with.
    private async Task<bool> RunRoundAsync()
    {
        bool progress = _round.Count > 0;
        if (!progress)
        {
            long now = NowMs;
            _due.Clear();
            _revivals.CopyDue(now, MaxRound, _due);
            progress = Begin(now);
        }

        // Also what a round before has left behind because it could not be flushed or its end not be written.
        if (_round.Count > 0)
        {
            FlushStatus flushed = FlushStatus.TimedOut;
            while (flushed == FlushStatus.TimedOut)
            {
                flushed = await _intake.WaitForFlushAsync(_overdue.EndOffset).ConfigureAwait(false);
            }

            if (flushed != FlushStatus.Flushed)
            {
                throw new IOException($"messages that were given back are not known to be on disk: {flushed}");
            }
        }

        if (_round.Count > 0 || _revivals.LogOffset is not null)
        {
            _revivals.End(_round);
            _round.Clear();
        }

        return progress;
    }

    // False when none of what is due is any more.
    private bool Begin(long now)
    {
        bool progress = false;
        _overdue.EndOffset = 0;
        foreach (PopDue due in _due)
        {
            if (due is OrderedBatch ordered)
            {
                progress |= TryRelease(ordered, now);
            }
            else if (due is PopCheckPoint checkPoint)
            {
                _revivals.Announce(_messages.MaxPhysicalOffset);
                if (PopRevivals.TryBegin(checkPoint, now))
                {
                    progress = true;
                    _round.Add(_overdue.GiveBack(checkPoint, now));
                }
            }
        }

        return progress;
    }

    private bool TryRelease(OrderedBatch ordered, long now)
    {
        if (!_ordered.TryRelease(ordered, now))
        {
            return false;
        }

        if (_targets.Find(ordered.Queue.Group, ordered.Queue.Topic) is { } target)
        {
            _parked.WakeOne(target, ordered.Queue.QueueId);
        }

        return true;
    }
}
