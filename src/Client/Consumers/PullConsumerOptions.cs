namespace GrayMQ.Client.Consumers;

/// <summary>Settings of a <see cref="PullConsumer"/>.</summary>
public sealed class PullConsumerOptions : ConsumerOptions
{
    /// <summary>Most messages that one poll returns.</summary>
    public int PollBatchSize { get; set; } = 32;

    /// <summary>
    /// Whether what was polled is committed by itself, every <see cref="ConsumerOptions.OffsetCommitInterval"/> and at the end. The messages
    /// of a poll count as handled when the next poll begins.
    /// </summary>
    public bool AutoCommit { get; set; } = true;

    private protected override void FindProblems(List<string> problems)
    {
        base.FindProblems(problems);
        RequireRange(problems, PollBatchSize, 1, MaxBatchSize, nameof(PollBatchSize));
    }
}
