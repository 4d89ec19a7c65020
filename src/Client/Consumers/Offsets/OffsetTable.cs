using System.Collections.Concurrent;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Offsets;

/// <summary>Offsets in memory, and which of them are not stored yet.</summary>
internal sealed class OffsetTable
{
    private readonly ConcurrentDictionary<MessageQueue, Entry> _entries = new();

    public long? Peek(MessageQueue queue) => _entries.TryGetValue(queue, out Entry entry) ? entry.Offset : null;

    public void Update(MessageQueue queue, long offset) => _entries.AddOrUpdate(
        queue,
        static (_, offset) => new Entry(offset, IsStored: false),
        static (_, known, offset) => offset > known.Offset ? new Entry(offset, IsStored: false) : known,
        offset);

    public void Reset(MessageQueue queue, long offset) => _entries[queue] = new Entry(offset, IsStored: false);

    public void Forget(MessageQueue queue) => _entries.TryRemove(queue, out _);

    /// <summary>What is not stored of these queues.</summary>
    public List<KeyValuePair<MessageQueue, long>> Unstored(IReadOnlyCollection<MessageQueue> queues)
    {
        var unstored = new List<KeyValuePair<MessageQueue, long>>();
        foreach (MessageQueue queue in queues)
        {
            if (_entries.TryGetValue(queue, out Entry entry) && !entry.IsStored)
            {
                unstored.Add(KeyValuePair.Create(queue, entry.Offset));
            }
        }

        return unstored;
    }

    public void MarkStored(MessageQueue queue, long offset) =>
        _entries.TryUpdate(queue, new Entry(offset, IsStored: true), new Entry(offset, IsStored: false));

    private readonly record struct Entry(long Offset, bool IsStored);
}
