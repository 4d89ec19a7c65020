using System.Text;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Store.ConsumeQueues;

/// <summary>The queues of one topic.</summary>
internal sealed class TopicQueues
{
    private readonly ConsumeQueueStorage _storage;
    private readonly Lock _lock = new();
    private volatile LogicQueue?[] _queues = [];

    public TopicQueues(ConsumeQueueStorage storage, byte[] topicUtf8, bool isFollowed = false)
    {
        _storage = storage;
        TopicUtf8 = topicUtf8;
        IsFollowed = isFollowed;
        Topic = Encoding.UTF8.GetString(topicUtf8);
        IndexHashPrefix = JavaStringHash.Append(JavaStringHash.Of(topicUtf8), "#"u8);
    }

    public string Topic { get; }

    public byte[] TopicUtf8 { get; }

    /// <summary>The Java hash of "topic#", which every index key of the topic continues.</summary>
    public int IndexHashPrefix { get; }

    /// <summary>Does some follower of the log want to see every record of the topic?</summary>
    public bool IsFollowed { get; }

    public string DirectoryPath => Path.Combine(_storage.RootPath, Topic);

    /// <summary>The topic is being removed: its queues take no messages. Guarded by the log's append lock.</summary>
    public bool IsRetired { get; set; }

    public ReadOnlySpan<LogicQueue?> Queues => _queues;

    public LogicQueue? Find(int queueId)
    {
        LogicQueue?[] queues = _queues;
        return (uint)queueId < (uint)queues.Length ? queues[queueId] : null;
    }

    public LogicQueue GetOrAdd(int queueId)
    {
        lock (_lock)
        {
            if (Find(queueId) is { } existing)
            {
                return existing;
            }

            var queues = new LogicQueue?[Math.Max(_queues.Length, queueId + 1)];
            _queues.CopyTo(queues, 0);
            LogicQueue queue = queues[queueId] = new LogicQueue(_storage, this, queueId);
            _queues = queues;
            return queue;
        }
    }
}
