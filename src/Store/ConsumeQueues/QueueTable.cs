using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Store.Dispatching;

namespace GrayMQ.Store.ConsumeQueues;

/// <summary>All queues of a store, found by topic bytes and queue id without making a string.</summary>
internal sealed class QueueTable
{
    /// <summary>Largest queue id: the queues of a topic stand in an array.</summary>
    public const int MaxQueueId = 65_535;

    /// <summary>Longest topic: it is the name of a directory.</summary>
    public const int MaxTopicBytes = 255;

    private readonly ConsumeQueueStorage _storage;
    private readonly LogFollowers? _followers;
    private readonly ConcurrentDictionary<byte[], TopicQueues> _topics = new(TopicComparer.Instance);
    private readonly ConcurrentDictionary<byte[], TopicQueues>.AlternateLookup<ReadOnlySpan<byte>> _byBytes;

    public QueueTable(ConsumeQueueStorage storage, LogFollowers? followers = null)
    {
        _storage = storage;
        _followers = followers;
        _byBytes = _topics.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Every queue there is, in no order.</summary>
    public IEnumerable<LogicQueue> All
    {
        get
        {
            foreach (KeyValuePair<byte[], TopicQueues> topic in _topics)
            {
                for (int id = 0; id < topic.Value.Queues.Length; id++)
                {
                    if (topic.Value.Find(id) is { } queue)
                    {
                        yield return queue;
                    }
                }
            }
        }
    }

    public TopicQueues? FindTopic(ReadOnlySpan<byte> topic) =>
        _byBytes.TryGetValue(topic, out TopicQueues? queues) ? queues : null;

    public LogicQueue? Find(ReadOnlySpan<byte> topic, int queueId) => FindTopic(topic)?.Find(queueId);

    /// <summary>Can there be such a queue? A topic is the name of a directory, so not everything can be one.</summary>
    public static bool IsValid(ReadOnlySpan<byte> topic, int queueId) =>
        queueId is >= 0 and <= MaxQueueId
        && topic.Length is > 0 and <= MaxTopicBytes
        && !topic.ContainsAny((byte)'/', (byte)0)
        && !topic.SequenceEqual("."u8)
        && !topic.SequenceEqual(".."u8)
        && System.Text.Unicode.Utf8.IsValid(topic);

    /// <summary>Finds or makes a queue. Throws <see cref="ArgumentException"/> for what cannot be one.</summary>
    public LogicQueue GetOrAdd(ReadOnlySpan<byte> topic, int queueId)
    {
        if (Find(topic, queueId) is { } queue)
        {
            return queue;
        }

        if (!IsValid(topic, queueId))
        {
            throw new ArgumentException(
                $"No queue can have topic '{Encoding.UTF8.GetString(topic)}' and id {queueId}.", nameof(topic));
        }

        byte[] key = topic.ToArray();
        return _topics.GetOrAdd(key, new TopicQueues(_storage, key, _followers?.Follow(topic) == true)).GetOrAdd(queueId);
    }

    public TopicQueues? Remove(ReadOnlySpan<byte> topic) =>
        _byBytes.TryRemove(topic, out _, out TopicQueues? queues) ? queues : null;
}
