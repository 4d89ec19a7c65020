using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

/// <summary>One queue of a topic at one broker; ordered by topic, broker name and queue id, as clients share them out.</summary>
public readonly record struct MessageQueue(
    [property: JsonPropertyOrder(2)] string Topic,
    [property: JsonPropertyOrder(0)] string BrokerName,
    [property: JsonPropertyOrder(1)] int QueueId) : IComparable<MessageQueue>
{
    public static bool operator <(MessageQueue left, MessageQueue right) => left.CompareTo(right) < 0;

    public static bool operator <=(MessageQueue left, MessageQueue right) => left.CompareTo(right) <= 0;

    public static bool operator >(MessageQueue left, MessageQueue right) => left.CompareTo(right) > 0;

    public static bool operator >=(MessageQueue left, MessageQueue right) => left.CompareTo(right) >= 0;

    public int CompareTo(MessageQueue other)
    {
        // UTF-16 ordinal order is Java's String.compareTo: every client of a group must sort alike.
        var byTopic = string.CompareOrdinal(Topic, other.Topic);
        if (byTopic != 0)
        {
            return byTopic;
        }

        var byBroker = string.CompareOrdinal(BrokerName, other.BrokerName);
        return byBroker != 0 ? byBroker : QueueId.CompareTo(other.QueueId);
    }
}
