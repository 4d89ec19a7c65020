using System.Collections.Concurrent;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
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
internal sealed class ParkedPops : IArrivalListener, IDisposable
{
    private static readonly TimeSpan ScanInterval = TimeSpan.FromMilliseconds(100);

    // A pop is answered a little before its time is up rather than after it.
    private const int EarlyMs = 50;

    private readonly int _limit;
    private readonly int _limitOfQueue;
    private readonly int _limitOfTargets;
    private readonly TimeProvider _time;
    private readonly ObjectPool<ParkedPop> _pool;
    private readonly ITimer _scan;
    private readonly Lock _lists = new();

    // By topic, also by retry topic: those who wait, or waited not long ago.
    private readonly ConcurrentDictionary<string, PopTarget[]> _byTopic = new(StringComparer.Ordinal);
    private readonly List<PopTarget> _listed = [];
    private Action<Pop>? _answer;
    private Func<Pop, bool>? _hasMessages;
    private int _count;
    private bool _closed;

    public ParkedPops(ParkLimits limits, TimeProvider time)
    {
        _limit = limits.All;
        _limitOfQueue = limits.OfQueue;
        _limitOfTargets = limits.Targets;
        _time = time;
        _pool = new DefaultObjectPool<ParkedPop>(new Policy(Answer), maximumRetained: 4096);
        _scan = time.CreateTimer(static parked => ((ParkedPops)parked!).WakeOverdue(), this, ScanInterval, ScanInterval);
    }

    /// <summary>How many wait now.</summary>
    public int Count => Volatile.Read(ref _count);

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
        if (Volatile.Read(ref _closed) || pop.DeadlineMs - EarlyMs <= NowMs)
        {
            return ParkOutcome.TimeIsUp;
        }

        if (Interlocked.Increment(ref _count) > _limit || !TryList(pop.Target))
        {
            Interlocked.Decrement(ref _count);
            return ParkOutcome.Full;
        }

        ParkedPop parked = _pool.Get();
        parked.Pop = pop with { DeadlineMs = pop.DeadlineMs - EarlyMs };
        if (!pop.Target.Waiters.TryAdd(parked, _limitOfQueue))
        {
            Interlocked.Decrement(ref _count);
            parked.Pop = default;
            _pool.Return(parked);
            return ParkOutcome.Full;
        }

        // Whoever took the target off the list meanwhile sees the pop, or is seen here.
        Interlocked.MemoryBarrier();
        if (!pop.Target.Waiters.IsListed)
        {
            List(pop.Target);
        }

        // What happened between the caller's look and the parking has woken nobody. The fence pairs with those of the callers of
        // Wake: either the message is seen here, or the pop is seen there.
        Interlocked.MemoryBarrier();
        if ((Volatile.Read(ref _closed) || _hasMessages!(pop)) && pop.Target.Waiters.TryTake(parked, in pop))
        {
            Wake(parked);
        }

        return ParkOutcome.Parked;
    }

    /// <inheritdoc/>
    public void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
    {
        // The entry was published before this call; see TryPark.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _count) == 0 || !_byTopic.TryGetValue(queue.Topic, out PopTarget[]? targets))
        {
            return;
        }

        foreach (PopTarget target in targets)
        {
            if (target.Waiters.IsEmpty)
            {
                continue;
            }

            if (target.Topic.Name == queue.Topic)
            {
                Wake(target.Waiters.TakeFor(allQueues: true, -1, notification: false, tagsCode, in message));
                Wake(target.Waiters.TakeFor(allQueues: false, queue.QueueId, notification: false, tagsCode, in message));
                Wake(target.Waiters.TakeFor(allQueues: true, -1, notification: true, tagsCode, in message));
                Wake(target.Waiters.TakeFor(allQueues: false, queue.QueueId, notification: true, tagsCode, in message));
            }
            else
            {
                Wake(target.Waiters.TakeOne(null, notification: false, alsoOrdered: false));
                Wake(target.Waiters.TakeOne(null, notification: true, alsoOrdered: false));
            }
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
        if (!pop.Target.Waiters.IsEmpty)
        {
            Wake(pop.Target.Waiters.TakeOne(pop.QueueId, notification: false));
        }
    }

    /// <summary>The target is gone: wakes all that wait there, to be told so.</summary>
    public void Forget(PopTarget target)
    {
        lock (_lists)
        {
            if (target.Waiters.IsListed)
            {
                Unlist(target);
            }
        }

        WakeAll(target);
    }

    /// <summary>Wakes all that wait at a target, to look again.</summary>
    public void WakeAll(PopTarget target) => Wake(target.Waiters.TakeOverdue(long.MaxValue));

    /// <summary>Wakes all that wait and keeps none from now on: the broker stops.</summary>
    public void Close()
    {
        Volatile.Write(ref _closed, true);
        Interlocked.MemoryBarrier();
        foreach (PopTarget target in Listed())
        {
            WakeAll(target);
        }
    }

    public void Dispose() => _scan.Dispose();

    private PopTarget[] Listed()
    {
        lock (_lists)
        {
            return [.. _listed];
        }
    }

    private bool TryList(PopTarget target)
    {
        if (target.Waiters.IsListed)
        {
            return true;
        }

        lock (_lists)
        {
            if (!target.Waiters.IsListed)
            {
                if (_listed.Count >= _limitOfTargets && !TryUnlistOne())
                {
                    return false;
                }

                List(target);
            }

            return true;
        }
    }

    private void List(PopTarget target)
    {
        lock (_lists)
        {
            if (!target.Waiters.IsListed)
            {
                _listed.Add(target);
                Link(target.Topic.Name, target);
                Link(target.FirstRetry.Name, target);
                Link(target.SecondRetry.Name, target);
                target.Waiters.IsListed = true;
            }
        }
    }

    // Under the lock.
    private bool TryUnlistOne()
    {
        PopTarget? idle = _listed.Find(target => target.Waiters.IsEmpty);
        if (idle is null)
        {
            return false;
        }

        Unlist(idle);
        if (!idle.Waiters.IsEmpty)
        {
            List(idle);
            return false;
        }

        return true;
    }

    // Under the lock.
    private void Unlist(PopTarget target)
    {
        target.Waiters.IsListed = false;
        Interlocked.MemoryBarrier();
        Unlink(target.Topic.Name, target);
        Unlink(target.FirstRetry.Name, target);
        Unlink(target.SecondRetry.Name, target);
        _listed.Remove(target);
    }

    private void Link(string topic, PopTarget target) =>
        _byTopic[topic] = _byTopic.TryGetValue(topic, out PopTarget[]? targets) ? [.. targets, target] : [target];

    private void Unlink(string topic, PopTarget target)
    {
        PopTarget[] rest = Array.FindAll(_byTopic.GetValueOrDefault(topic) ?? [], other => !ReferenceEquals(other, target));
        if (rest.Length > 0)
        {
            _byTopic[topic] = rest;
        }
        else
        {
            _byTopic.TryRemove(topic, out _);
        }
    }

    private void WakeOverdue()
    {
        if (Volatile.Read(ref _count) == 0)
        {
            return;
        }

        long now = NowMs;
        foreach (PopTarget target in Listed())
        {
            if (!target.Waiters.IsEmpty)
            {
                Wake(target.Waiters.TakeOverdue(now));
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
        parked.Pop = default;
        _pool.Return(parked);
        _answer!(pop with { DeadlineMs = pop.DeadlineMs + EarlyMs });
    }

    private sealed class Policy(Action<ParkedPop> answer) : PooledObjectPolicy<ParkedPop>
    {
        public override ParkedPop Create() => new(answer);

        public override bool Return(ParkedPop obj) => true;
    }
}
