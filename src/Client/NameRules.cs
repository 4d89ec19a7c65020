using GrayMQ.Protocol.Names;

namespace GrayMQ.Client;

/// <summary>Names as a client checks them before it asks anybody.</summary>
internal static class NameRules
{
    // Topics that brokers write themselves (RocketMQ: TopicValidator).
    private static readonly HashSet<string> WrittenByBrokers = new(StringComparer.Ordinal)
    {
        TopicNames.Schedule,
        TopicNames.TransactionHalf,
        TopicNames.TransactionOperation,
        TopicNames.TransactionChecksExceeded,
        TopicNames.SelfTest,
        TopicNames.OffsetMovedEvent,
    };

    public static bool IsRetryTopic(string topic) => topic.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal);

    /// <exception cref="ArgumentException">The topic's name is wrong, or nobody but brokers sends to it.</exception>
    public static void RequireSendable(string topic)
    {
        RequireTopic(topic);
        if (WrittenByBrokers.Contains(topic))
        {
            throw new ArgumentException($"topic {topic} is written by brokers only", nameof(topic));
        }
    }

    /// <exception cref="ArgumentException">The topic's name is wrong.</exception>
    public static void RequireTopic(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        if (TopicNames.Problem(topic) is { } problem)
        {
            throw new ArgumentException($"topic '{topic}': {problem}", nameof(topic));
        }
    }

    /// <exception cref="ArgumentException">The group's name is wrong.</exception>
    public static void RequireGroup(string group)
    {
        ArgumentNullException.ThrowIfNull(group);
        if (GroupNames.Problem(group) is { } problem)
        {
            throw new ArgumentException($"group '{group}': {problem}", nameof(group));
        }
    }
}
