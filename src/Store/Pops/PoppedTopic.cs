using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Pops;

/// <summary>A topic as one group pops it: its queues, made when they are first asked for.</summary>
public sealed class PoppedTopic
{
    /// <summary>Queue ids are below this: a made-up one must not cost memory.</summary>
    public const int MaxQueues = 65_536;

    private readonly Lock _changes = new();
    private readonly byte[] _key;
    private PopQueue?[] _queues = [];
    private bool _isDropped;

    /// <param name="key">As <see cref="PopCodec.WriteTopicKey"/> writes it.</param>
    internal PoppedTopic(string group, string topic, byte[] key)
    {
        Group = group;
        Topic = topic;
        _key = key;
    }

    public string Group { get; }

    public string Topic { get; }

    /// <summary>First part of the topic's keys in the database.</summary>
    internal byte[] Key => _key;

    /// <summary>The queues that are known, in the order of their ids.</summary>
    public IEnumerable<PopQueue> Queues => Volatile.Read(ref _queues).OfType<PopQueue>();

    /// <summary>The queue if something was ever popped from it.</summary>
    public PopQueue? FindQueue(int queueId)
    {
        PopQueue?[] queues = Volatile.Read(ref _queues);
        return (uint)queueId < (uint)queues.Length ? Volatile.Read(ref queues[queueId]) : null;
    }

    public PopQueue GetQueue(int queueId) => FindQueue(queueId) ?? AddQueue(queueId);

    /// <summary>Sees to it that queues which are made from now on are dropped ones.</summary>
    /// <returns>Those that were made before.</returns>
    internal IEnumerable<PopQueue> Drop()
    {
        lock (_changes)
        {
            _isDropped = true;
            return Queues;
        }
    }

    private PopQueue AddQueue(int queueId)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)queueId, (uint)MaxQueues, nameof(queueId));
        lock (_changes)
        {
            if (FindQueue(queueId) is { } there)
            {
                return there;
            }

            PopQueue?[] queues = _queues;
            if (queueId >= queues.Length)
            {
                queues = new PopQueue?[Math.Max(queueId + 1, queues.Length * 2)];
                _queues.CopyTo(queues, 0);
            }

            var key = new byte[_key.Length + sizeof(int)];
            _key.CopyTo(key, 0);
            _ = new KeyWriter(key.AsSpan(_key.Length)).Int32(queueId);
            var queue = new PopQueue(this, queueId, key) { IsDropped = _isDropped };
            Volatile.Write(ref queues[queueId], queue);
            Volatile.Write(ref _queues, queues);
            return queue;
        }
    }
}
