using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Gray;

/// <summary>One <see cref="GraySkip"/> at work: tells which messages are skipped, and counts each once. For many threads.</summary>
internal sealed class SkipMark(GraySkip terms)
{
    private readonly HashSet<string> _topics = [.. terms.Topics];
    private readonly Dictionary<string, long[]> _counted = terms.Counted.ToDictionary(StringComparer.Ordinal);
    private readonly Lock _counting = new();
    private long _skipped = terms.Skipped;
    private bool _isDirty;

    public GraySkip Terms { get; } = terms;

    public long Skipped
    {
        get
        {
            lock (_counting)
            {
                return _skipped;
            }
        }
    }

    /// <summary>Whether more was counted than is on disk.</summary>
    public bool IsDirty => Volatile.Read(ref _isDirty);

    /// <summary>Whether anything of a topic may have to be skipped.</summary>
    public bool Concerns(Topic topic) => Terms.IsActive && (topic.IsRetry || _topics.Contains(topic.Name));

    /// <summary>A filter that lets the same through, but for what is skipped.</summary>
    public IMessageFilter Without(Topic topic, IMessageFilter? filter) => new Filter(this, topic, filter);

    /// <summary>As it is to be on disk.</summary>
    public GraySkip ToState()
    {
        lock (_counting)
        {
            return Terms with { Skipped = _skipped, Counted = _counted.ToDictionary(pair => pair.Key, pair => (long[])pair.Value.Clone()) };
        }
    }

    /// <summary>It is on disk as it was told by <see cref="ToState"/> when so many were counted.</summary>
    public void Written(long skipped)
    {
        lock (_counting)
        {
            _isDirty = _skipped != skipped;
        }
    }

    private bool Skips(Topic topic, in StoredMessage message)
    {
        if (message.PhysicalOffset < Terms.Before)
        {
            return false;
        }

        // Who is asked for his side of retries has been a side when they were failed; until the next release, all that come were.
        return topic.IsRetry
            ? message.PhysicalOffset < Terms.RetriesBefore && GrayView.SideOf(topic, message.Properties) == Side.Gray
            : message.PreparedTransactionOffset != 0
                && GrayView.IsMarked(message.Properties)
                && GrayAcceptance.OffsetOf(in message) < Terms.Before;
    }

    private void Count(string topic, int queueId, long queueOffset)
    {
        if ((uint)queueId >= OffsetOptions.MaxQueues)
        {
            return;
        }

        lock (_counting)
        {
            long[] counted = _counted.GetValueOrDefault(topic) ?? [];
            if (queueId >= counted.Length)
            {
                Array.Resize(ref counted, queueId + 1);
                _counted[topic] = counted;
            }

            if (queueOffset >= counted[queueId])
            {
                counted[queueId] = queueOffset + 1;
                _skipped++;
                _isDirty = true;
            }
        }
    }

    private sealed class Filter(SkipMark mark, Topic topic, IMessageFilter? filter) : IMessageFilter
    {
        public bool NeedsMessage => true;

        public bool MatchesEntry(long tagsCode) => filter is null || filter.MatchesEntry(tagsCode);

        public bool MatchesMessage(in StoredMessage message)
        {
            if (filter is { NeedsMessage: true } && !filter.MatchesMessage(in message))
            {
                return false;
            }

            if (!mark.Skips(topic, in message))
            {
                return true;
            }

            mark.Count(topic.Name, message.QueueId, message.QueueOffset);
            return false;
        }
    }
}
