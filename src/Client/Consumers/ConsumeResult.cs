namespace GrayMQ.Client.Consumers;

/// <summary>How handling ended: <c>default</c> is <see cref="Success"/>.</summary>
public readonly record struct ConsumeResult
{
    private readonly Ending _ending;

    private ConsumeResult(Ending ending, TimeSpan? delay = null)
    {
        _ending = ending;
        Delay = delay;
    }

    /// <summary>Done: the message will not come again.</summary>
    public static ConsumeResult Success => default;

    /// <summary>
    /// Not done: the message will come again, when the consumer's retry policy or else the broker says. An orderly consumer first waits a
    /// moment and then hands out the same message, so that its queue keeps its order.
    /// </summary>
    public static ConsumeResult RetryLater => new(Ending.Retry);

    /// <summary>
    /// Not done, and never will be: the message goes to the group's dead letters. A broadcasting consumer passes it over.
    /// </summary>
    public static ConsumeResult DeadLetter => new(Ending.DeadLetter);

    /// <summary>Whether the message was handled.</summary>
    public bool IsSuccess => _ending == Ending.Success;

    /// <summary>Whether the message is to become a dead letter.</summary>
    public bool IsDeadLetter => _ending == Ending.DeadLetter;

    /// <summary>After how long the message is to come again; null leaves that to the consumer's settings.</summary>
    public TimeSpan? Delay { get; }

    /// <summary>
    /// Not done: the message will come again after this time. Push consumers round it up to the next of RocketMQ's delay levels (1 s to 2
    /// h), which is all that brokers take from them; orderly consumers suspend their queue for so long.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not more than zero.</exception>
    public static ConsumeResult RetryAfter(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(delay, TimeSpan.Zero);
        return new ConsumeResult(Ending.Retry, delay);
    }

    private enum Ending
    {
        Success,
        Retry,
        DeadLetter,
    }
}
