using System.Collections.Concurrent;
using GrayMQ.Broker.Filtering;
using GrayMQ.Store.ConsumeQueues;
using Microsoft.Extensions.ObjectPool;

namespace GrayMQ.Broker.Pulling;

/// <summary>
/// Pulls that wait for a message, by queue. The dispatcher's arrival wakes those that the message is for; the others go on waiting
/// until their time is up, when they are answered with how far their queue has come.
/// </summary>
internal sealed class ParkedPulls : IArrivals, IDisposable
{
    private static readonly TimeSpan ScanInterval = TimeSpan.FromMilliseconds(100);

    // A queue at which nothing has waited for about a minute is forgotten.
    private const int MaxIdleScans = 600;

    // Of one connection: a client waits at as many queues as it is assigned, and is not to fill the table alone.
    private const int MaxOfConnection = 4096;

    // Answers that nobody waits for any more take room, and nothing else: of every so many scans, one looks for them.
    private const int ScansPerLookForLeft = 10;

    private readonly int _limit;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<LogicQueue, ParkedQueue> _queues = new();
    private readonly ObjectPool<ParkedPull> _pool;
    private readonly ITimer _scan;
    private Action<Pull>? _answer;
    private int _count;
    private int _scans;
    private volatile bool _held;
    private bool _closed;

    /// <param name="limit">How many may wait at a time.</param>
    public ParkedPulls(int limit, TimeProvider time)
    {
        _limit = limit;
        _time = time;
        _pool = new DefaultObjectPool<ParkedPull>(new Policy(Answer), maximumRetained: 4096);
        _scan = time.CreateTimer(static parked => ((ParkedPulls)parked!).WakeOverdue(), this, ScanInterval, ScanInterval);
    }

    /// <summary>How many wait now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Says who answers a pull that is woken; called once, before the first is parked.</summary>
    public void AnswerWith(Action<Pull> answer) => _answer = answer;

    /// <summary>
    /// Keeps <paramref name="pull"/> until a message for it arrives, at most for <paramref name="timeout"/>; false when as many wait as
    /// may, and the caller has to answer.
    /// </summary>
    public bool TryPark(in Pull pull, TimeSpan timeout)
    {
        if (pull.Responder.Connection.RequestsInFlight > MaxOfConnection)
        {
            return false;
        }

        if (Interlocked.Increment(ref _count) > _limit)
        {
            Interlocked.Decrement(ref _count);
            return false;
        }

        ParkedPull parked = _pool.Get();
        parked.Pull = pull;
        parked.Deadline = _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency);
        ParkedQueue queue;
        bool isBehind;
        do
        {
            queue = _queues.GetOrAdd(pull.Queue, static _ => new ParkedQueue());
        }
        while (!queue.TryAdd(parked, out isBehind));

        // What happened between the caller's look and the parking has woken nobody.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _closed))
        {
            Wake(queue.TakeOverdue(long.MaxValue));
        }
        else if (isBehind && !_held)
        {
            Wake(queue.TakeBehind());
        }

        return true;
    }

    /// <inheritdoc/>
    public void OnArrived(in Arrival arrival)
    {
        if (Volatile.Read(ref _count) > 0 && _queues.TryGetValue(arrival.Queue, out ParkedQueue? parked) && !parked.IsEmpty)
        {
            if (_held)
            {
                parked.Skip();
            }
            else
            {
                Wake(parked.TakeMatching(in arrival));
            }
        }
    }

    /// <summary>Wakes all that wait at a topic that is gone: nothing will arrive there.</summary>
    public void WakeTopic(string topic)
    {
        foreach ((LogicQueue key, ParkedQueue queue) in _queues)
        {
            if (key.Topic == topic)
            {
                Wake(queue.TakeOverdue(long.MaxValue));
            }
        }
    }

    /// <summary>Wakes those of a group that are held: queues have changed hands.</summary>
    public void WakeHeld(string group)
    {
        foreach (ParkedQueue queue in _queues.Values)
        {
            if (!queue.IsEmpty)
            {
                Wake(queue.TakeHeld(group));
            }
        }
    }

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
        foreach (ParkedQueue queue in _queues.Values)
        {
            Wake(queue.TakeOverdue(long.MaxValue));
        }
    }

    private void WakeOverdue()
    {
        long now = _time.GetTimestamp();
        bool looksForLeft = Interlocked.Increment(ref _scans) % ScansPerLookForLeft == 0;
        foreach ((LogicQueue key, ParkedQueue queue) in _queues)
        {
            if (!queue.IsEmpty)
            {
                Wake(queue.TakeOverdue(now));
                if (looksForLeft)
                {
                    Wake(queue.TakeLeft());
                }
            }
            else if (queue.TryRetire(MaxIdleScans))
            {
                // Nobody pulls there any more, or the topic is gone.
                _queues.TryRemove(KeyValuePair.Create(key, queue));
            }
        }
    }

    private void Wake(ParkedPull? parked)
    {
        while (parked is not null)
        {
            ParkedPull? next = parked.Next;
            parked.Next = null;
            Interlocked.Decrement(ref _count);

            // Reading and writing for others is not the dispatcher's business.
            ThreadPool.UnsafeQueueUserWorkItem(parked, preferLocal: false);
            parked = next;
        }
    }

    private void Answer(ParkedPull parked)
    {
        Pull pull = parked.Pull;
        parked.Pull = default;
        _pool.Return(parked);
        _answer!(pull);
    }

    private sealed class Policy(Action<ParkedPull> answer) : PooledObjectPolicy<ParkedPull>
    {
        public override ParkedPull Create() => new(answer);

        public override bool Return(ParkedPull obj) => true;
    }
}
