using System.Buffers.Binary;
using System.Text;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Timers;

/// <summary>
/// How many messages are pending for each topic and at each level. Kept in the same batches as the entries that it counts, so that it
/// is as true as they are.
/// </summary>
internal sealed class TimerCounts
{
    private const byte TopicPrefix = (byte)'t';
    private const byte LevelPrefix = (byte)'l';

    private readonly KeyFamily _family;
    private readonly Lock _lock = new();
    private readonly List<byte[]> _topics = [];
    private readonly Dictionary<byte[], int> _topicIds = new(TopicComparer.Instance);
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _topicIdsByBytes;
    private readonly List<long> _byTopic = [];
    private readonly long[] _byLevel = new long[DelayLevels.MaxLevels + 1];

    // Changes of the batch that is being made.
    private readonly Dictionary<int, long> _topicChanges = [];
    private readonly Dictionary<int, long> _levelChanges = [];

    public TimerCounts(KeyValueStore values, KeyFamily family)
    {
        _family = family;
        _topicIdsByBytes = _topicIds.GetAlternateLookup<ReadOnlySpan<byte>>();
        using KeyValueScan scan = values.Scan(family);
        foreach (KeyValueEntry entry in scan)
        {
            if (entry.Value.Length != sizeof(long) || entry.Key.Length < 2)
            {
                continue;
            }

            long count = BinaryPrimitives.ReadInt64BigEndian(entry.Value);
            if (entry.Key[0] == TopicPrefix)
            {
                _byTopic[IdOf(entry.Key[1..])] = count;
            }
            else if (entry.Key[0] == LevelPrefix)
            {
                _byLevel[entry.Key[1]] = count;
            }
        }
    }

    /// <summary>A number for a topic, good for the life of this process.</summary>
    public int IdOf(ReadOnlySpan<byte> topic)
    {
        lock (_lock)
        {
            if (!_topicIdsByBytes.TryGetValue(topic, out int id))
            {
                byte[] name = topic.ToArray();
                id = _topics.Count;
                _topics.Add(name);
                _byTopic.Add(0);
                _topicIds.Add(name, id);
            }

            return id;
        }
    }

    /// <summary>Counts an entry in or out, once the batch is written.</summary>
    public void Change(int topicId, byte level, long by)
    {
        _topicChanges[topicId] = _topicChanges.GetValueOrDefault(topicId) + by;
        _levelChanges[level] = _levelChanges.GetValueOrDefault(level) + by;
    }

    /// <summary>Puts the changed counts into the batch.</summary>
    public void AddTo(KeyValueBatch batch)
    {
        lock (_lock)
        {
            foreach ((int id, long change) in _topicChanges)
            {
                if (change != 0)
                {
                    Put(batch, TopicPrefix, _topics[id], _byTopic[id] + change);
                }
            }

            foreach ((int level, long change) in _levelChanges)
            {
                if (change != 0)
                {
                    Put(batch, LevelPrefix, [(byte)level], _byLevel[level] + change);
                }
            }
        }
    }

    /// <summary>The batch is written.</summary>
    public void Commit()
    {
        lock (_lock)
        {
            foreach ((int id, long change) in _topicChanges)
            {
                _byTopic[id] += change;
            }

            foreach ((int level, long change) in _levelChanges)
            {
                _byLevel[level] += change;
            }
        }

        Forget();
    }

    /// <summary>The batch is not written.</summary>
    public void Forget()
    {
        _topicChanges.Clear();
        _levelChanges.Clear();
    }

    /// <summary>The counts without some of the entries.</summary>
    public (IReadOnlyDictionary<string, long> ByTopic, IReadOnlyDictionary<int, long> ByLevel) Snapshot(
        List<(int TopicId, byte Level)> without)
    {
        long[] topicCounts;
        long[] levelCounts;
        lock (_lock)
        {
            topicCounts = [.. _byTopic];
            levelCounts = [.. _byLevel];
        }

        foreach ((int topicId, byte level) in without)
        {
            topicCounts[topicId]--;
            levelCounts[level]--;
        }

        var byTopic = new Dictionary<string, long>(StringComparer.Ordinal);
        var byLevel = new Dictionary<int, long>();
        for (int id = 0; id < topicCounts.Length; id++)
        {
            if (topicCounts[id] > 0)
            {
                lock (_lock)
                {
                    byTopic[Encoding.UTF8.GetString(_topics[id])] = topicCounts[id];
                }
            }
        }

        for (int level = 0; level < levelCounts.Length; level++)
        {
            if (levelCounts[level] > 0)
            {
                byLevel[level] = levelCounts[level];
            }
        }

        return (byTopic, byLevel);
    }

    // A topic without pending messages leaves nothing behind.
    private void Put(KeyValueBatch batch, byte prefix, ReadOnlySpan<byte> name, long count)
    {
        Span<byte> key = stackalloc byte[name.Length + 1];
        key[0] = prefix;
        name.CopyTo(key[1..]);
        if (count <= 0)
        {
            batch.Delete(_family, key);
            return;
        }

        Span<byte> value = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(value, count);
        batch.Put(_family, key, value);
    }
}
