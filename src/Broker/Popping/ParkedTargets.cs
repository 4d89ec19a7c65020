using System.Collections.Concurrent;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// The targets at which pops wait, or waited not long ago, by topic and by retry topic: where an arrival looks. One at which nobody
/// has waited for a while is taken off.
/// </summary>
/// <param name="most">Targets at a time (RocketMQ: popPollingMapSize).</param>
/// <param name="wake">Wakes all that wait at a target, to look again.</param>
internal sealed class ParkedTargets(int most, Action<PopTarget> wake)
{
    private readonly Lock _changes = new();
    private readonly ConcurrentDictionary<string, TopicTargets> _byTopic = new(StringComparer.Ordinal);
    private readonly List<PopTarget> _listed = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Those at which a message of the topic may be waited for.</summary>
    public ReadOnlySpan<PopTarget> Of(string topic) => Find(topic)?.All;

    /// <inheritdoc cref="Of"/>
    public TopicTargets? Find(string topic) => _byTopic.GetValueOrDefault(topic);

    public PopTarget[] All()
    {
        lock (_changes)
        {
            return [.. _listed];
        }
    }

    /// <summary>Lists a target before a pop waits there; false when there are as many as may be, and pops wait at all of them.</summary>
    public bool TryList(PopTarget target)
    {
        if (target.Waiters.IsListed)
        {
            return true;
        }

        lock (_changes)
        {
            if (!target.Waiters.IsListed)
            {
                if (_listed.Count >= most && !TryUnlistOne())
                {
                    return false;
                }

                ListLocked(target);
            }

            return true;
        }
    }

    /// <summary>Lists a target at which a pop waits already: whoever took it off meanwhile sees the pop, or is seen here.</summary>
    public void KeepListed(PopTarget target)
    {
        Interlocked.MemoryBarrier();
        if (!target.Waiters.IsListed)
        {
            lock (_changes)
            {
                ListLocked(target);
            }
        }
    }

    /// <summary>Takes a target off, whether pops wait there or not.</summary>
    public void Unlist(PopTarget target)
    {
        lock (_changes)
        {
            if (target.Waiters.IsListed)
            {
                UnlistLocked(target);
            }
        }
    }

    /// <summary>Takes off those at which nobody waits and nobody began to since.</summary>
    public void UnlistIdle(long sinceMs)
    {
        lock (_changes)
        {
            foreach (PopTarget target in _listed.FindAll(target => target.Waiters.IsEmpty && target.Waiters.LastParkedMs < sinceMs))
            {
                TryUnlist(target);
            }
        }
    }

    private bool TryUnlistOne() => _listed.Find(target => target.Waiters.IsEmpty) is { } idle && TryUnlist(idle);

    private bool TryUnlist(PopTarget idle)
    {
        UnlistLocked(idle);
        if (idle.Waiters.IsEmpty)
        {
            return true;
        }

        // Who came meanwhile saw the target listed, and a message that came since did not.
        ListLocked(idle);
        wake(idle);
        return false;
    }

    private void ListLocked(PopTarget target)
    {
        if (target.Waiters.IsListed)
        {
            return;
        }

        _listed.Add(target);
        Volatile.Write(ref _count, _listed.Count);
        foreach (string topic in TopicsOf(target))
        {
            TopicTargets targets = _byTopic.GetOrAdd(topic, static topic => new TopicTargets(topic));
            targets.All = [.. targets.All, target];
        }

        target.Waiters.SetListed(_byTopic[target.Topic.Name]);
    }

    private void UnlistLocked(PopTarget target)
    {
        target.Waiters.SetListed(null);
        Interlocked.MemoryBarrier();
        foreach (string topic in TopicsOf(target))
        {
            TopicTargets targets = _byTopic[topic];
            targets.All = Array.FindAll(targets.All, other => !ReferenceEquals(other, target));
            if (targets.All.Length == 0)
            {
                _byTopic.TryRemove(topic, out _);
            }
        }

        _listed.Remove(target);
        Volatile.Write(ref _count, _listed.Count);
    }

    private static string[] TopicsOf(PopTarget target) => [target.Topic.Name, target.FirstRetry.Name, target.SecondRetry.Name];
}
