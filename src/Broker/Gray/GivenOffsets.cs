using System.Collections.Concurrent;
using GrayMQ.Broker.Names;
using GrayMQ.Broker.Offsets;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// How far messages of the queues of a group were given to anybody: what a side that is withdrawn may have in hand. Raised before the answer
/// goes out, by whoever then looks whether a queue has changed hands (<see cref="GrayTable.Stamp"/>), so that whoever changes that, and looks
/// here afterwards, sees all that was given. In memory: after a restart everything that is there is taken to be given.
/// </summary>
internal sealed class GivenOffsets
{
    private readonly ConcurrentDictionary<string, long[]> _topics = new(Utf8NameComparer.Instance);
    private readonly ConcurrentDictionary<string, long[]>.AlternateLookup<ReadOnlySpan<byte>> _topicsByUtf8;
    private readonly Lock _growing = new();

    public GivenOffsets() => _topicsByUtf8 = _topics.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>Below which offset messages of a queue were given; 0 for none.</summary>
    public long Of(string topic, int queueId) =>
        _topics.TryGetValue(topic, out long[]? given) && (uint)queueId < (uint)given.Length ? Volatile.Read(ref given[queueId]) : 0;

    /// <summary>Messages below an offset are about to be given.</summary>
    public void Raise(ReadOnlySpan<byte> utf8Topic, int queueId, long offset)
    {
        if (!_topicsByUtf8.TryGetValue(utf8Topic, out long[]? given) || (uint)queueId >= (uint)given.Length)
        {
            if ((uint)queueId >= OffsetOptions.MaxQueues)
            {
                return;
            }

            Grow(System.Text.Encoding.UTF8.GetString(utf8Topic), queueId, offset);
            return;
        }

        RaiseTo(ref given[queueId], offset);
        if (_topicsByUtf8.TryGetValue(utf8Topic, out long[]? after) && !ReferenceEquals(after, given))
        {
            // It has grown meanwhile, perhaps without this.
            Raise(utf8Topic, queueId, offset);
        }
    }

    /// <summary>The topic is no more, and if there is one of its name again, it is another.</summary>
    public void Forget(string topic)
    {
        lock (_growing)
        {
            _topics.TryRemove(topic, out _);
        }
    }

    private void Grow(string topic, int queueId, long offset)
    {
        lock (_growing)
        {
            long[] known = _topics.GetValueOrDefault(topic) ?? [];
            if (queueId >= known.Length)
            {
                long[] grown = new long[queueId + 1];
                known.CopyTo(grown, 0);
                _topics[topic] = grown;
                for (int i = 0; i < known.Length; i++)
                {
                    // Who raised the old one after it was copied, and looked before this was published, does not know of it.
                    RaiseTo(ref grown[i], Volatile.Read(ref known[i]));
                }

                known = grown;
            }

            RaiseTo(ref known[queueId], offset);
        }
    }

    private static void RaiseTo(ref long given, long offset)
    {
        long before = Volatile.Read(ref given);
        while (before < offset)
        {
            long found = Interlocked.CompareExchange(ref given, offset, before);
            if (found == before)
            {
                return;
            }

            before = found;
        }

        // The caller looks at something else next: whoever changes that must see this, also where nothing was to be raised.
        Interlocked.MemoryBarrier();
    }
}
