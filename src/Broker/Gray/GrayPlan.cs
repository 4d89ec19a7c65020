using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Broker.Gray;

/// <summary>A queue that is to belong to somebody else.</summary>
internal readonly record struct GrayTurn(GrayEntry Entry, string Topic, QueueOwnership Now, Side? Target, bool IsGrayQueue, LogicQueue Queue);

/// <summary>
/// Says, for one state of gray and of who is connected, which queues here are gray and which are to change hands. Makes what has to be there
/// before: retry topics with queues for both sides, and offsets from which a side that comes later begins.
/// </summary>
internal sealed class GrayPlan(GraySnapshot snapshot, TopicTable topics, ConsumerOffsetTable offsets, GrayStarts starts, MessageStore store)
{
    /// <summary>Queues of a retry topic of a group with a release: one for each side.</summary>
    public const int RetryQueues = 2;

    private readonly Dictionary<string, GrayQueues> _live = new(StringComparer.Ordinal);
    private readonly List<GrayTurn> _turns = [];

    /// <summary>Topics whose queues are of two sides here.</summary>
    public IReadOnlyDictionary<string, GrayQueues> Live => _live;

    public IReadOnlyList<GrayTurn> Turns => _turns;

    /// <summary>Adds the gray topics that are live and that this broker has, with enough queues.</summary>
    public void AddTopics()
    {
        foreach (GrayTopic gray in snapshot.Topics)
        {
            if (gray.LiveQueues() is { } queues && topics.Find(gray.Name) is { } topic && QueuesOf(topic.Config) >= queues.Count)
            {
                _live[gray.Name] = queues;
            }
        }
    }

    /// <summary>Adds what is to change for a group with an open release.</summary>
    public void AddGroup(GrayEntry entry)
    {
        string group = entry.Group.Name;
        AddRetryTopic(TopicNames.RetryOf(group));
        var origins = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string topic in entry.Subscribers.Topics)
        {
            origins[topic] = topic;
            if (IsRetry(topic))
            {
                continue;
            }

            // What a side popped and did not acknowledge comes back to it there; nobody subscribes to these by name.
            foreach (bool secondForm in new[] { false, true })
            {
                string retry = TopicNames.PopRetryOf(topic, group, secondForm);
                AddRetryTopic(retry);
                origins[retry] = topic;
            }
        }

        // Nobody subscribes to these any more, but somebody may own their queues still.
        foreach (string topic in entry.Group.Topics.Keys)
        {
            origins.TryAdd(topic, topic);
        }

        // Retry topics last: what a side has in hand, and fails, comes back there as long as it gives anything up.
        foreach ((string topic, string origin) in origins.OrderBy(pair => IsRetry(pair.Key)))
        {
            if (topics.Find(topic) is { } found)
            {
                AddTopic(entry, found, origin, entry.Subscribers.Of(origin));
            }
        }
    }

    /// <summary>Queues that can be both written and read.</summary>
    public static int QueuesOf(TopicConfig config) => Math.Min(config.ReadQueueNums, config.WriteQueueNums);

    /// <summary>Queues that can be written or read.</summary>
    public static int AllQueuesOf(TopicConfig config) =>
        Math.Min(Math.Max(config.ReadQueueNums, config.WriteQueueNums), GrayLimits.MaxQueues);

    private void AddRetryTopic(string name)
    {
        int count = RetryQueues;
        if (topics.Find(name) is { } topic)
        {
            TopicConfig config = topic.Config;
            if (QueuesOf(config) < RetryQueues)
            {
                topics.Put(config with
                {
                    ReadQueueNums = Math.Max(config.ReadQueueNums, RetryQueues),
                    WriteQueueNums = Math.Max(config.WriteQueueNums, RetryQueues),
                    Attributes = [],
                });
            }

            count = Math.Max(RetryQueues, QueuesOf(topic.Config));
        }

        _live[name] = new GrayQueues(count, count / 2);
    }

    private static bool IsRetry(string topic) => topic.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal);

    // Whether a side is about to give up queues whose messages come back to a retry topic, and has not done so yet.
    private bool GivesUp(GrayEntry entry, Side owner, string retryTopic, string origin)
    {
        return entry.Group.Topics.Any(pair =>
                ComesFrom(pair.Key) && Array.Exists(pair.Value, queue => queue.IsHandedOver && queue.Owner == owner))
            || _turns.Exists(turn => turn.Entry == entry && ComesFrom(turn.Topic) && turn.Now.Owner == owner && turn.Target != owner);

        // All that is sent back comes to one topic; what was popped, to one for each topic.
        bool ComesFrom(string topic) => !IsRetry(topic) && (topic == origin || origin == retryTopic);
    }

    private void AddTopic(GrayEntry entry, Topic topic, string origin, SideSet subscribers)
    {
        TopicConfig config = topic.Config;
        int count = AllQueuesOf(config);
        QueueOwnership[] known = entry.Group.Topics.GetValueOrDefault(topic.Name) ?? [];
        GrayQueues? live = _live.TryGetValue(topic.Name, out GrayQueues queues) ? queues : null;
        GrayRelease release = entry.ReleaseForOwners;
        for (int queueId = 0; queueId < Math.Max(count, known.Length); queueId++)
        {
            bool isNew = queueId >= known.Length;
            bool isGray = live?.SideOf(queueId) == Side.Gray;
            if (isNew)
            {
                starts.Fix(entry.Group.Name, topic, queueId);
            }

            // Until there was a release, all were normal. A topic to which none of them subscribed was nobody's.
            QueueOwnership now = isNew
                ? QueueOwnership.Of(
                    subscribers.Normal ? Side.Normal : null, Math.Max(0, offsets.Find(entry.Group.Name, topic.Name, queueId)), isGray)
                : known[queueId];
            bool stays = release.IsEnding && topic.IsRetry && now.Owner is { } owner && GivesUp(entry, owner, topic.Name, origin);
            Side? target = stays ? now.Owner : QueueOwners.Of(release, live is not null, isGray, subscribers);
            if (stays && !isNew)
            {
                continue;
            }

            if (isNew
                || target != now.Last
                || isGray != now.IsLastGrayQueue
                || (release.State == GrayReleaseState.Withdrawing && now.IsToWithdraw))
            {
                _turns.Add(new GrayTurn(entry, topic.Name, now, target, isGray, store.GetQueue(topic.NameUtf8.Span, queueId)));
            }
        }
    }
}
