using GrayMQ.Broker.Names;

namespace GrayMQ.Broker.Transactions;

/// <summary>A topic with the number of its half messages that are pending; guarded by the store's lock.</summary>
internal sealed class HalfTopic(string name)
{
    public string Name { get; } = name;

    public long Count { get; set; }
}

/// <summary>The topics that half messages were sent to. For one thread at a time.</summary>
internal sealed class HalfTopics
{
    private readonly Dictionary<string, HalfTopic> _topics = new(Utf8NameComparer.Instance);
    private readonly Dictionary<string, HalfTopic>.AlternateLookup<ReadOnlySpan<byte>> _byUtf8;

    public HalfTopics() => _byUtf8 = _topics.GetAlternateLookup<ReadOnlySpan<byte>>();

    public IEnumerable<HalfTopic> All => _topics.Values;

    public HalfTopic Get(ReadOnlySpan<byte> utf8Name)
    {
        if (!_byUtf8.TryGetValue(utf8Name, out HalfTopic? topic))
        {
            topic = new HalfTopic(Utf8NameComparer.Instance.Create(utf8Name));
            _topics[topic.Name] = topic;
        }

        return topic;
    }
}
