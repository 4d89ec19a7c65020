using System.Collections.Concurrent;
using GrayMQ.Broker.Names;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// Which clients know from where on a queue is to be consumed that has changed hands. A client may hold it by an offset of before, below or
/// above that at which it changed hands, and would go on there, and commit it: until its first pull was answered by the group's offset, or was
/// made by it, nothing that it says counts. In memory: after a restart, which moves no queue, all are taken to know.
/// </summary>
internal sealed class ToldClients
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<int, ConcurrentDictionary<string, bool>>> _topics =
        new(Utf8NameComparer.Instance);

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<int, ConcurrentDictionary<string, bool>>>
        .AlternateLookup<ReadOnlySpan<byte>> _topicsByUtf8;

    public ToldClients() => _topicsByUtf8 = _topics.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>Whether no queue has changed hands.</summary>
    public bool IsEmpty => _topics.IsEmpty;

    /// <summary>A queue has changed hands: nobody knows, but for those who had it before and keep it.</summary>
    public void Begin(string topic, int queueId, IEnumerable<string> keepers)
    {
        var told = new ConcurrentDictionary<string, bool>(
            keepers.Select(clientId => new KeyValuePair<string, bool>(clientId, true)), StringComparer.Ordinal);
        _topics.GetOrAdd(topic, static _ => new())[queueId] = told;
    }

    /// <summary>Whether a client knows of the queue, or there is nothing to know.</summary>
    public bool Knows(ReadOnlySpan<byte> utf8Topic, int queueId, string clientId) =>
        Find(utf8Topic, queueId) is not { } told || told.ContainsKey(clientId);

    /// <summary>The client knows of it from now on.</summary>
    public void Tell(ReadOnlySpan<byte> utf8Topic, int queueId, string clientId) =>
        Find(utf8Topic, queueId)?.TryAdd(clientId, true);

    /// <summary>The topic is no more.</summary>
    public void Forget(string topic) => _topics.TryRemove(topic, out _);

    /// <summary>The group has no offsets any more by which its queues could have changed hands.</summary>
    public void Clear() => _topics.Clear();

    private ConcurrentDictionary<string, bool>? Find(ReadOnlySpan<byte> utf8Topic, int queueId) =>
        _topicsByUtf8.TryGetValue(utf8Topic, out ConcurrentDictionary<int, ConcurrentDictionary<string, bool>>? queues)
            ? queues.GetValueOrDefault(queueId)
            : null;
}
