using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace GrayMQ.Store.Pops;

/// <summary>The topics that groups pop, by the names of both; asking by the bytes of a request allocates nothing.</summary>
public sealed class PoppedTopics
{
    private readonly ConcurrentDictionary<byte[], PoppedTopic> _topics = new(KeyComparer.Instance);
    private readonly ConcurrentDictionary<byte[], PoppedTopic>.AlternateLookup<ReadOnlySpan<byte>> _topicsByKey;

    internal PoppedTopics() => _topicsByKey = _topics.GetAlternateLookup<ReadOnlySpan<byte>>();

    public IEnumerable<PoppedTopic> All => _topics.Values;

    /// <summary>The queues that are known of all topics.</summary>
    public IEnumerable<PopQueue> Queues => All.SelectMany(topic => topic.Queues);

    /// <summary>The topic as the group pops it, made when it is not there.</summary>
    /// <exception cref="ArgumentException">A name is empty, longer than <see cref="PopCodec.MaxNameBytes"/>, or holds a NUL.</exception>
    [SkipLocalsInit]
    public PoppedTopic Get(ReadOnlySpan<byte> group, ReadOnlySpan<byte> topic)
    {
        Span<byte> key = stackalloc byte[PopCodec.MaxTopicKeyBytes];
        int length = PopCodec.WriteTopicKey(group, topic, key);
        if (length == 0)
        {
            throw new ArgumentException($"a group and a topic have names of 1 to {PopCodec.MaxNameBytes} bytes without a NUL");
        }

        if (_topicsByKey.TryGetValue(key[..length], out PoppedTopic? found))
        {
            return found;
        }

        byte[] made = key[..length].ToArray();
        return _topics.GetOrAdd(made, new PoppedTopic(Encoding.UTF8.GetString(group), Encoding.UTF8.GetString(topic), made));
    }

    /// <summary>The topic if the group has popped it.</summary>
    [SkipLocalsInit]
    public PoppedTopic? Find(ReadOnlySpan<byte> group, ReadOnlySpan<byte> topic)
    {
        Span<byte> key = stackalloc byte[PopCodec.MaxTopicKeyBytes];
        int length = PopCodec.WriteTopicKey(group, topic, key);
        return length > 0 && _topicsByKey.TryGetValue(key[..length], out PoppedTopic? found) ? found : null;
    }

    /// <inheritdoc cref="Find(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public PoppedTopic? Find(string group, string topic) => Find(Encoding.UTF8.GetBytes(group), Encoding.UTF8.GetBytes(topic));

    internal void Remove(PoppedTopic topic) => _topics.TryRemove(KeyValuePair.Create(topic.Key, topic));

    /// <summary>Finds by bytes that stand on the stack what is kept by an array of them.</summary>
    private sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static KeyComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            // HashCode has a seed of its own in each process: names chosen to collide do not.
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
