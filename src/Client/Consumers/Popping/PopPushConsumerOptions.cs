namespace GrayMQ.Client.Consumers.Popping;

/// <summary>Settings of a <see cref="PopPushConsumer"/>.</summary>
public sealed class PopPushConsumerOptions : PopOptions
{
    private const int MostConcurrent = 10_000;
    private const int MostReconsumeTimes = 1_000_000;
    private const int DefaultReconsumeTimes = 16;

    /// <summary>How many handlers run at a time.</summary>
    public int MaxConcurrency { get; set; } = 20;

    /// <summary>Most messages of one call to a handler of batches.</summary>
    public int ConsumeBatchSize { get; set; } = 1;

    /// <summary>
    /// Nothing more is popped while so many messages wait here or are being handled: their invisible time runs. Brokers that are asked
    /// already may still answer with a batch each.
    /// </summary>
    public int MaxInFlightMessages { get; set; } = 96;

    /// <summary>
    /// Whether the invisible time is renewed while a handler runs, up to <see cref="ConsumeTimeout"/>. If not, what takes longer than the
    /// invisible time comes again, and its acknowledgement has no effect.
    /// </summary>
    public bool RenewInvisibleTime { get; set; } = true;

    /// <summary>How long the invisible time is renewed for: what takes longer comes again. The handler is not cancelled.</summary>
    public TimeSpan ConsumeTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>When messages that failed come again.</summary>
    public RetryPolicy RetryPolicy { get; set; } = RetryPolicy.Default;

    /// <summary>
    /// How often a message that fails comes again before it goes to the group's dead letters; null is 16 times, and without end if
    /// orderly.
    /// </summary>
    public int? MaxReconsumeTimes { get; set; }

    /// <summary>How long <see cref="PopPushConsumer.StopAsync"/> waits for handlers that are at work.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(30);

    internal int EffectiveMaxReconsumeTimes => MaxReconsumeTimes ?? (Orderly ? int.MaxValue : DefaultReconsumeTimes);

    private protected override void FindProblems(List<string> problems)
    {
        base.FindProblems(problems);
        RequireRange(problems, MaxConcurrency, 1, MostConcurrent, nameof(MaxConcurrency));
        RequireRange(problems, ConsumeBatchSize, 1, MostMessages, nameof(ConsumeBatchSize));
        RequireRange(problems, MaxInFlightMessages, 1, int.MaxValue, nameof(MaxInFlightMessages));
        RequireRange(problems, MaxReconsumeTimes ?? 0, 0, MostReconsumeTimes, nameof(MaxReconsumeTimes));
        RequirePositive(problems, ConsumeTimeout, nameof(ConsumeTimeout));
        RequirePositive(problems, ShutdownTimeout, nameof(ShutdownTimeout));
        if (RetryPolicy is null)
        {
            problems.Add($"{nameof(RetryPolicy)} is null");
        }
    }
}
