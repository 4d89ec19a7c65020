namespace GrayMQ.Client.Consumers;

/// <summary>Settings of a <see cref="PushConsumer"/>.</summary>
public sealed class PushConsumerOptions : ConsumerOptions
{
    private const int MostConcurrent = 10_000;
    private const int MostReconsumeTimes = 1_000_000;

    /// <summary>
    /// What to consume: tag expressions by topic, for instance <c>["orders"] = "created || paid"</c>, or <c>*</c> for all messages.
    /// <see cref="PushConsumer.Subscribe(string, string)"/> adds more.
    /// </summary>
    public IDictionary<string, string> Subscriptions { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Whether the messages of a queue are handled one behind the other, in their order. The consumer then holds locks on its queues
    /// at the brokers.
    /// </summary>
    public bool Orderly { get; set; }

    /// <summary>How many handlers run at a time.</summary>
    public int MaxConcurrency { get; set; } = 20;

    /// <summary>Most messages of one call to a handler of batches.</summary>
    public int ConsumeBatchSize { get; set; } = 1;

    /// <summary>
    /// Unless orderly, a queue is not pulled while its first unhandled message is further behind its last one than this
    /// (RocketMQ: consumeConcurrentlyMaxSpan).
    /// </summary>
    public long MaxOffsetSpan { get; set; } = 2000;

    /// <summary>If orderly, the pause before a message that failed is handed out again (RocketMQ: suspendCurrentQueueTimeMillis).</summary>
    public TimeSpan SuspendCurrentQueue { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// When messages that failed come again, in RocketMQ's delay levels (1 s to 2 h); null leaves that to the broker. If orderly, how
    /// long the queue is suspended; null is <see cref="SuspendCurrentQueue"/>.
    /// </summary>
    public RetryPolicy? RetryPolicy { get; set; }

    /// <summary>The pause before a message is handed out again that failed and that its broker does not take back.</summary>
    public TimeSpan LocalRetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How often a message that fails is delivered again before it goes to the group's dead letters; null is 16 times, and without
    /// end if orderly.
    /// </summary>
    public int? MaxReconsumeTimes { get; set; }

    /// <summary>
    /// Unless orderly, what is not handled within this time is given back to its broker, to be delivered again, and no longer holds the
    /// offset back (RocketMQ: consumeTimeout). The handler is not cancelled.
    /// </summary>
    public TimeSpan ConsumeTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long <see cref="PushConsumer.StopAsync"/> waits for handlers that are at work.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(30);

    // RocketMQ: getMaxReconsumeTimes of either kind of consumer.
    internal int MaxConcurrentReconsumeTimes => MaxReconsumeTimes ?? 16;

    internal int MaxOrderlyReconsumeTimes => MaxReconsumeTimes ?? int.MaxValue;

    private protected override void FindProblems(List<string> problems)
    {
        base.FindProblems(problems);
        RequireRange(problems, MaxConcurrency, 1, MostConcurrent, nameof(MaxConcurrency));
        RequireRange(problems, ConsumeBatchSize, 1, MaxBatchSize, nameof(ConsumeBatchSize));
        RequireRange(problems, MaxOffsetSpan, 1, ushort.MaxValue, nameof(MaxOffsetSpan));
        RequireRange(problems, MaxReconsumeTimes ?? 0, 0, MostReconsumeTimes, nameof(MaxReconsumeTimes));
        RequirePositive(problems, SuspendCurrentQueue, nameof(SuspendCurrentQueue));
        RequirePositive(problems, LocalRetryDelay, nameof(LocalRetryDelay));
        RequirePositive(problems, ConsumeTimeout, nameof(ConsumeTimeout));
        RequirePositive(problems, ShutdownTimeout, nameof(ShutdownTimeout));
    }
}
