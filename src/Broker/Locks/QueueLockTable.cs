using System.Collections.Concurrent;
using GrayMQ.Broker.Clients;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Locks;

/// <summary>
/// Which client of a group may consume a queue in order. A lock is held for <see cref="HoldTime"/> from its last renewal; then
/// another client may take it. RocketMQ: RebalanceLockManager.
/// </summary>
public sealed class QueueLockTable(ClientLimits limits, TimeProvider time, ILogger<QueueLockTable> logger)
{
    /// <summary>RocketMQ: rocketmq.broker.rebalance.lockMaxLiveTime. Clients renew every 20 s.</summary>
    public static readonly TimeSpan HoldTime = TimeSpan.FromSeconds(60);

    // The inner dictionaries are guarded by themselves; one that was emptied is marked as gone under that lock.
    private readonly ConcurrentDictionary<string, GroupLocks> _groups = new(StringComparer.Ordinal);
    private int _count;

    /// <summary>Queues that are locked, of all groups together, expired locks included.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Takes or renews locks.</summary>
    /// <returns>The queues that the client holds now, in the order asked for, each once.</returns>
    public List<MessageQueue> Lock(string group, IReadOnlyCollection<MessageQueue> queues, string clientId)
    {
        var held = new List<MessageQueue>(queues.Count);
        while (true)
        {
            GroupLocks locks = _groups.GetOrAdd(group, static _ => new GroupLocks());
            lock (locks)
            {
                if (locks.IsGone)
                {
                    continue;
                }

                var asked = new HashSet<MessageQueue>();
                foreach (MessageQueue queue in queues)
                {
                    if (asked.Add(queue) && TryLock(locks, group, queue, clientId))
                    {
                        held.Add(queue);
                    }
                }

                DropIfEmpty(group, locks);
                return held;
            }
        }
    }

    /// <summary>Gives back the queues among those asked for that the client holds.</summary>
    public void Unlock(string group, IReadOnlyCollection<MessageQueue> queues, string clientId)
    {
        if (!_groups.TryGetValue(group, out GroupLocks? locks))
        {
            return;
        }

        lock (locks)
        {
            foreach (MessageQueue queue in queues)
            {
                if (locks.ByQueue.TryGetValue(queue, out QueueLock held) && held.ClientId == clientId)
                {
                    Remove(locks, queue);
                }
            }

            DropIfEmpty(group, locks);
        }
    }

    /// <summary>Whether a client holds a queue.</summary>
    public bool IsHeld(string group, MessageQueue queue, string clientId)
    {
        if (!_groups.TryGetValue(group, out GroupLocks? locks))
        {
            return false;
        }

        lock (locks)
        {
            return locks.ByQueue.TryGetValue(queue, out QueueLock held) && held.ClientId == clientId && !HasExpired(held);
        }
    }

    /// <summary>Whether any client of the group holds a queue: then the group consumes in order.</summary>
    public bool IsAnyHeld(string group)
    {
        if (!_groups.TryGetValue(group, out GroupLocks? locks))
        {
            return false;
        }

        lock (locks)
        {
            return locks.ByQueue.Values.Any(held => !HasExpired(held));
        }
    }

    /// <summary>Removes the locks that nobody renewed.</summary>
    public void Expire()
    {
        foreach ((string group, GroupLocks locks) in _groups)
        {
            lock (locks)
            {
                foreach ((MessageQueue queue, QueueLock held) in locks.ByQueue)
                {
                    if (HasExpired(held))
                    {
                        Remove(locks, queue);
                    }
                }

                DropIfEmpty(group, locks);
            }
        }
    }

    private bool TryLock(GroupLocks locks, string group, MessageQueue queue, string clientId)
    {
        if (!locks.ByQueue.TryGetValue(queue, out QueueLock held))
        {
            if (Interlocked.Increment(ref _count) > limits.MaxLocks)
            {
                Interlocked.Decrement(ref _count);
                Log.TooManyLocks(logger, group, limits.MaxLocks);
                return false;
            }
        }
        else if (held.ClientId != clientId)
        {
            if (!HasExpired(held))
            {
                return false;
            }

            Log.LockTakenOver(logger, clientId, held.ClientId, queue.Topic, queue.QueueId, group);
        }

        locks.ByQueue[queue] = new QueueLock(clientId, time.GetTimestamp());
        return true;
    }

    private void Remove(GroupLocks locks, MessageQueue queue)
    {
        locks.ByQueue.Remove(queue);
        Interlocked.Decrement(ref _count);
    }

    private void DropIfEmpty(string group, GroupLocks locks)
    {
        if (locks.ByQueue.Count == 0)
        {
            locks.IsGone = true;
            _groups.TryRemove(group, out _);
        }
    }

    private bool HasExpired(QueueLock held) => time.GetElapsedTime(held.RenewedAt) > HoldTime;

    /// <param name="RenewedAt">As <see cref="TimeProvider.GetTimestamp"/> counts.</param>
    private readonly record struct QueueLock(string ClientId, long RenewedAt);

    private sealed class GroupLocks
    {
        public Dictionary<MessageQueue, QueueLock> ByQueue { get; } = [];

        public bool IsGone { get; set; }
    }
}
