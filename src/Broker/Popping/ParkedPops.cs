using GrayMQ.Broker.Filtering;
using GrayMQ.Broker.Gray;
using GrayMQ.Store.Pops;
using Microsoft.Extensions.ObjectPool;

namespace GrayMQ.Broker.Popping;

/// <summary>How a pop was parked, or why it was not.</summary>
internal enum ParkOutcome
{
    Parked,

    /// <summary>It does not want to wait, or its time is up.</summary>
    TimeIsUp,

    /// <summary>As many wait as may.</summary>
    Full,
}

/// <summary>How many pops may wait.</summary>
/// <param name="All">RocketMQ: maxPopPollingSize.</param>
/// <param name="OfQueue">Of one group, topic and queue (RocketMQ: popPollingSize).</param>
/// <param name="Targets">Groups and topics at which pops wait (RocketMQ: popPollingMapSize).</param>
internal sealed record ParkLimits(int All, int OfQueue, int Targets);

/// <summary>
/// Pops that wait for a message of their topic or of its retry topics. An arrival wakes one pop of each group that waits; what else
/// makes messages poppable (an ack, a lock that is over, a reset) wakes one as well (RocketMQ: PopLongPollingService).
/// </summary>
internal sealed class ParkedPops : IArrivals, IDisposable
{
    private static readonly TimeSpan ScanInterval = TimeSpan.FromMilliseconds(100);

    // A pop is answered a little before its time is up rather than after it.
    private const int EarlyMs = 50;

    // Answers that nobody waits for any more take room, and nothing else: of every so many scans, one looks for them.
    private const int ScansPerLookForLeft = 10;

    // A target at which nobody has waited for so long costs arrivals a look no more.
    private const int IdleMs = 60_000;

    private readonly int _limit;
    private readonly int _limitOfQueue;
    private readonly GrayTable _gray;
    private readonly TimeProvider _time;
    private readonly ObjectPool<ParkedPop> _pool;
    private readonly ITimer _scan;
    private readonly ParkedTargets _targets;
    private Action<Pop>? _answer;
    private Func<Pop, bool>? _hasMessages;
    private int _count;
    private int _scans;
    private long _sweptMs;
    private volatile bool _held;
    private bool _closed;

    public ParkedPops(ParkLimits limits, GrayTable gray, TimeProvider time)
    {
        _gray = gray;
        _limit = limits.All;
        _limitOfQueue = limits.OfQueue;
        _targets = new ParkedTargets(limits.Targets, WakeAll);
        _time = time;
        _pool = new DefaultObjectPool<ParkedPop>(new Policy(Answer), maximumRetained: 4096);
        _scan = time.CreateTimer(static parked => ((ParkedPops)parked!).WakeOverdue(), this, ScanInterval, ScanInterval);
    }

    /// <summary>How many wait now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Groups and topics at which arrivals look.</summary>
    public int TargetCount => _targets.Count;

    /// <summary>Whether the broker stops: nothing is to be handed out any more.</summary>
    public bool IsClosed => Volatile.Read(ref _closed);

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Says who answers a pop that is woken, and who knows whether there is something for it; called once.</summary>
    public void AnswerWith(Action<Pop> answer, Func<Pop, bool> hasMessages)
    {
        _answer = answer;
        _hasMessages = hasMessages;
    }

    /// <summary>Keeps the pop until there may be something for it, or its time is up; the caller answers it when it is not kept.</summary>
    public ParkOutcome TryPark(in Pop pop)
    {
        long now = NowMs;
        if (Volatile.Read(ref _closed) || pop.DeadlineMs - EarlyMs <= now)
        {
            return ParkOutcome.TimeIsUp;
        }

        if (Interlocked.Increment(ref _count) > _limit || !_targets.TryList(pop.Target))
        {
            Interlocked.Decrement(ref _count);
            return ParkOutcome.Full;
        }

        ParkedPop parked = _pool.Get();
        parked.Set(pop with { DeadlineMs = pop.DeadlineMs - EarlyMs });
        long number = parked.Number;
        pop.Target.Waiters.LastParkedMs = now;
        if (!pop.Target.Waiters.TryAdd(parked, _limitOfQueue))
        {
            Interlocked.Decrement(ref _count);
            Free(parked);
            return ParkOutcome.Full;
        }

        _targets.KeepListed(pop.Target);

        // What happened between the caller's look and the parking has woken nobody. The fence pairs with that of Arrivals and those of the
        // other callers of Wake: either the message is seen here, or the pop is seen there.
        Interlocked.MemoryBarrier();
        if ((Volatile.Read(ref _closed) || (!_held && _hasMessages!(pop))) && pop.Target.Waiters.TryTake(parked, number))
        {
            Wake(parked);
        }

        return ParkOutcome.Parked;
    }

    /// <inheritdoc/>
    public void OnArrived(in Arrival arrival)
    {
        if (Volatile.Read(ref _count) == 0 || _held)
        {
            return;
        }

        if (_targets.Find(arrival.Queue.Topic) is not { } targets)
        {
            return;
        }

        if (arrival.Answer is not { } answer)
        {
            Wake(targets.All, in arrival);
            return;
        }

        targets.SortFor(answer.Version, _gray.View);
        Wake(targets.Others, in arrival);
        if (targets.HasNumbers)
        {
            foreach (int number in answer.Matches)
            {
                Wake(targets.Of(number), in arrival);
            }
        }
    }

    /// <summary>The group has less of a queue in hand again, for which pops of the target may wait.</summary>
    public void WakeFreed(PopTarget target, PopQueue queue)
    {
        if (queue.Topic == target.Topic.Name)
        {
            WakeOne(target, queue.QueueId);
        }
        else
        {
            Interlocked.MemoryBarrier();
            WakeForRetry(target);
        }
    }

    /// <summary>There may be something for one that waits for this queue, and for one that waits for all (negative).</summary>
    public void WakeOne(PopTarget target, int queueId)
    {
        Interlocked.MemoryBarrier();
        if (target.Waiters.IsEmpty)
        {
            return;
        }

        if (HasSides(target))
        {
            WakeAll(target);
            return;
        }

        Wake(target.Waiters.TakeOne(-1, notification: false));
        Wake(target.Waiters.TakeOne(-1, notification: true));
        if (queueId >= 0)
        {
            Wake(target.Waiters.TakeOne(queueId, notification: false));
            Wake(target.Waiters.TakeOne(queueId, notification: true));
        }
    }

    /// <summary>A pop has left something: another one that asked for the same may have it.</summary>
    public void WakeNext(in Pop pop)
    {
        if (pop.Target.Waiters.IsEmpty)
        {
            return;
        }

        if (HasSides(pop.Target))
        {
            WakeAll(pop.Target);
        }
        else
        {
            Wake(pop.Target.Waiters.TakeOne(pop.QueueId, notification: false));
        }
    }

    /// <summary>The target is gone: wakes all that wait there, to be told so.</summary>
    public void Forget(PopTarget target)
    {
        _targets.Unlist(target);
        WakeAll(target);
    }

    /// <summary>Wakes all that wait at a target, to look again.</summary>
    public void WakeAll(PopTarget target) => Wake(target.Waiters.TakeOverdue(long.MaxValue, orLeft: true));

    /// <summary>From now on nothing is woken by messages, only by time: the broker hands out no more.</summary>
    public void Hold() => _held = true;

    /// <summary>Wakes all, to look for what has arrived meanwhile; messages wake again.</summary>
    public void Release()
    {
        if (_held)
        {
            _held = false;
            WakeAll();
        }
    }

    /// <summary>Wakes all that wait and keeps none from now on: the broker stops.</summary>
    public void Close()
    {
        Volatile.Write(ref _closed, true);
        WakeAll();
    }

    public void Dispose() => _scan.Dispose();

    private void WakeAll()
    {
        Interlocked.MemoryBarrier();
        foreach (PopTarget target in _targets.All())
        {
            WakeAll(target);
        }
    }

    // Who may have a message depends on the side of who waits, where the group has a gray release: all of them look.
    private bool HasSides(PopTarget target) => _gray.View?.FindGroup(target.Group) is not null;

    private void Wake(IReadOnlyList<PopTarget> targets, in Arrival arrival)
    {
        for (int i = 0; i < targets.Count; i++)
        {
            PopTarget target = targets[i];
            PopWaiters waiters = target.Waiters;
            if (waiters.IsEmpty)
            {
                continue;
            }

            if (HasSides(target))
            {
                WakeAll(target);
            }
            else if (target.Topic.Name == arrival.Queue.Topic)
            {
                Wake(waiters.TakeFor(allQueues: true, -1, notification: false, in arrival));
                Wake(waiters.TakeFor(allQueues: false, arrival.Queue.QueueId, notification: false, in arrival));
                Wake(waiters.TakeFor(allQueues: true, -1, notification: true, in arrival));
                Wake(waiters.TakeFor(allQueues: false, arrival.Queue.QueueId, notification: true, in arrival));
            }
            else
            {
                WakeForRetry(target);
            }
        }
    }

    // Every pop looks into the retry topics, whatever queue it is for, but for those in order.
    private void WakeForRetry(PopTarget target)
    {
        if (HasSides(target))
        {
            WakeAll(target);
            return;
        }

        Wake(target.Waiters.TakeOne(null, notification: false, alsoOrdered: false));
        Wake(target.Waiters.TakeOne(null, notification: true, alsoOrdered: false));
    }

    private void WakeOverdue()
    {
        long now = NowMs;
        if (now - _sweptMs >= IdleMs && _targets.Count > 0)
        {
            _sweptMs = now;
            _targets.UnlistIdle(now - IdleMs);
        }

        if (Volatile.Read(ref _count) == 0)
        {
            return;
        }

        bool looksForLeft = Interlocked.Increment(ref _scans) % ScansPerLookForLeft == 0;
        foreach (PopTarget target in _targets.All())
        {
            if (!target.Waiters.IsEmpty)
            {
                Wake(target.Waiters.TakeOverdue(now, looksForLeft));
            }
        }
    }

    private void Wake(ParkedPop? parked)
    {
        while (parked is not null)
        {
            ParkedPop? next = parked.Next;
            parked.Next = null;
            Interlocked.Decrement(ref _count);

            // Reading and writing for others is not the dispatcher's business.
            ThreadPool.UnsafeQueueUserWorkItem(parked, preferLocal: false);
            parked = next;
        }
    }

    private void Answer(ParkedPop parked)
    {
        Pop pop = parked.Pop;
        Free(parked);
        _answer!(pop with { DeadlineMs = pop.DeadlineMs + EarlyMs });
    }

    private void Free(ParkedPop parked)
    {
        parked.Set(default);
        _pool.Return(parked);
    }

    private sealed class Policy(Action<ParkedPop> answer) : PooledObjectPolicy<ParkedPop>
    {
        public override ParkedPop Create() => new(answer);

        public override bool Return(ParkedPop obj) => true;
    }
}
