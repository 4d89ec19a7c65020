namespace GrayMQ.Broker.Topics;

/// <summary>The messages that a topic takes (RocketMQ: TopicMessageType, as the attribute message.type names it).</summary>
public enum TopicMessageType
{
    /// <summary>All: MIXED, UNSPECIFIED, or nothing was declared.</summary>
    Any,
    Normal,
    Fifo,
    Delay,
    Transaction,
}
