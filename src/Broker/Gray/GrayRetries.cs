using GrayMQ.Protocol.Names;

namespace GrayMQ.Broker.Gray;

/// <summary>Retry topics of groups with a release.</summary>
internal static class GrayRetries
{
    /// <summary>
    /// The topic by whose subscribers a topic is consumed: of what was popped and comes back, the one that it was popped from; else itself.
    /// </summary>
    public static string OriginOf(string topic, string group)
    {
        string prefix = TopicNames.RetryOf(group);
        return topic.Length > prefix.Length + 1
            && topic.StartsWith(prefix, StringComparison.Ordinal)
            && topic[prefix.Length] is '_' or '+'
                ? topic[(prefix.Length + 1)..]
                : topic;
    }
}
