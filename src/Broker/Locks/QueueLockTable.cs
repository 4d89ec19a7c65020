using System.Collections.Concurrent;
using GrayMQ.Broker.Clients;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Locks;

/// <summary>
/// Which client of a group may consume a queue in order. A lock is held for <see cref="HoldTime"/> from its last renewal; then
/// another client may take it. RocketMQ: RebalanceLockManager.
/// </summary>
public sealed class QueueLockTable
{
    /// <summary>RocketMQ: rocketmq.broker.rebalance.lockMaxLiveTime. Clients renew every 20 s.</summary>
    public static readonly TimeSpan HoldTime = TimeSpan.FromSeconds(60);

    /// <summary>Stands behind the name of a group whose gray side holds locks; in no group's name.</summary>
    internal const char SideMark = '\u0001';

    // The inner dictionaries are guarded by themselves; one that was emptied is marked as gone under that lock.
    private readonly ConcurrentDictionary<string, GroupLocks> _groups = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, GroupLocks>.AlternateLookup<ReadOnlySpan<char>> _groupsBySpan;
    private readonly ClientLimits _limits;
    private readonly TimeProvider _time;
    private readonly QueueLockStore? _store;
    private readonly ILogger _logger;
    private int _count;

    internal QueueLockTable(ClientLimits limits, TimeProvider time, ILogger<QueueLockTable> logger, QueueLockStore? store = null)
    {
        _groupsBySpan = _groups.GetAlternateLookup<ReadOnlySpan<char>>();
        _limits = limits;
        _time = time;
        _store = store;
        _logger = logger;

        // Their holders have as long as ever to renew them, however long the broker was away.
        foreach (HeldQueue held in store?.ReadAll() ?? [])
        {
            GroupLocks locks = _groups.GetOrAdd(held.Group, static _ => new GroupLocks());
            locks.ByQueue[held.Queue] = new QueueLock(held.ClientId, time.GetTimestamp());
            _count++;
        }
    }

    /// <summary>Queues that are locked, of all groups together, expired locks included.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The name under which the gray side of a group with a release has its locks.</summary>
    public static string GraySideOf(string group) => group + SideMark;

    /// <summary>Takes or renews locks.</summary>
    /// <returns>The queues that the client holds now, in the order asked for, each once.</returns>
    public List<MessageQueue> Lock(string group, IReadOnlyCollection<MessageQueue> queues, string clientId)
    {
        var held = new List<MessageQueue>(queues.Count);
        var taken = new List<MessageQueue>();
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
                    if (asked.Add(queue) && TryLock(locks, group, queue, clientId, out bool isNew))
                    {
                        held.Add(queue);
                        if (isNew)
                        {
                            taken.Add(queue);
                        }
                    }
                }

                // Before the client hears of it.
                _store?.Put(group, taken, clientId);
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
            Remove(group, locks, [.. queues.Where(queue =>
                locks.ByQueue.TryGetValue(queue, out QueueLock held) && held.ClientId == clientId)]);
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

    /// <summary>Whether any client of the group, of either side, holds a queue: then the group consumes in order. Allocates nothing.</summary>
    public bool IsAnyHeldByASideOf(string group)
    {
        if (Count == 0 || group.Length > _limits.MaxGroupLength)
        {
            return false;
        }

        Span<char> name = stackalloc char[group.Length + 1];
        group.CopyTo(name);
        name[^1] = SideMark;
        return IsAnyHeld(name[..^1]) || IsAnyHeld(name);
    }

    /// <summary>Removes the locks that nobody renewed.</summary>
    public void Expire()
    {
        foreach ((string group, GroupLocks locks) in _groups)
        {
            lock (locks)
            {
                Remove(group, locks, [.. locks.ByQueue.Where(pair => HasExpired(pair.Value)).Select(pair => pair.Key)]);
                DropIfEmpty(group, locks);
            }
        }
    }

    private bool IsAnyHeld(ReadOnlySpan<char> group)
    {
        if (!_groupsBySpan.TryGetValue(group, out GroupLocks? locks))
        {
            return false;
        }

        lock (locks)
        {
            foreach (QueueLock held in locks.ByQueue.Values)
            {
                if (!HasExpired(held))
                {
                    return true;
                }
            }

            return false;
        }
    }

    private bool TryLock(GroupLocks locks, string group, MessageQueue queue, string clientId, out bool isNew)
    {
        isNew = true;
        if (!locks.ByQueue.TryGetValue(queue, out QueueLock held))
        {
            if (Interlocked.Increment(ref _count) > _limits.MaxLocks)
            {
                Interlocked.Decrement(ref _count);
                Log.TooManyLocks(_logger, group, _limits.MaxLocks);
                return false;
            }
        }
        else if (held.ClientId == clientId)
        {
            isNew = false;
        }
        else
        {
            if (!HasExpired(held))
            {
                return false;
            }

            Log.LockTakenOver(_logger, clientId, held.ClientId, queue.Topic, queue.QueueId, group);
        }

        locks.ByQueue[queue] = new QueueLock(clientId, _time.GetTimestamp());
        return true;
    }

    private void Remove(string group, GroupLocks locks, List<MessageQueue> queues)
    {
        foreach (MessageQueue queue in queues)
        {
            if (locks.ByQueue.Remove(queue))
            {
                Interlocked.Decrement(ref _count);
            }
        }

        _store?.Delete(group, queues);
    }

    private void DropIfEmpty(string group, GroupLocks locks)
    {
        if (locks.ByQueue.Count == 0)
        {
            locks.IsGone = true;
            _groups.TryRemove(group, out _);
        }
    }

    private bool HasExpired(QueueLock held) => _time.GetElapsedTime(held.RenewedAt) > HoldTime;

    /// <param name="RenewedAt">As <see cref="TimeProvider.GetTimestamp"/> counts.</param>
    private readonly record struct QueueLock(string ClientId, long RenewedAt);

    private sealed class GroupLocks
    {
        public Dictionary<MessageQueue, QueueLock> ByQueue { get; } = [];

        public bool IsGone { get; set; }
    }
}
