namespace GrayMQ.Client.Consumers;

/// <summary>
/// Where a group begins in a queue of which it has stored no offset yet. As with RocketMQ, the broker has a word in this: it lets every
/// new group begin with the first message of a queue that still has all of its messages, in memory.
/// </summary>
public enum ConsumeFrom
{
    /// <summary>With the messages that come from now on (RocketMQ: CONSUME_FROM_LAST_OFFSET).</summary>
    Last,

    /// <summary>With the first message that the queue still has (RocketMQ: CONSUME_FROM_FIRST_OFFSET).</summary>
    First,

    /// <summary>With what was stored at a point in time (RocketMQ: CONSUME_FROM_TIMESTAMP).</summary>
    Timestamp,
}
