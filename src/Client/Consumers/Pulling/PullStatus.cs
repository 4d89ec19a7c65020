namespace GrayMQ.Client.Consumers.Pulling;

/// <summary>What a pull came to (RocketMQ: PullStatus).</summary>
internal enum PullStatus
{
    /// <summary>There are messages.</summary>
    Found,

    /// <summary>There is nothing behind the offset yet.</summary>
    NoNewMessage,

    /// <summary>What is there is not what the consumer wants.</summary>
    NoMatchedMessage,

    /// <summary>The queue does not have the offset; the result says which one to take instead.</summary>
    OffsetIllegal,
}
