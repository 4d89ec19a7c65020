using GrayMQ.Protocol.Names;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>What both kinds of pop consumers have in common.</summary>
public abstract class PopOptions : ClientOptions
{
    private protected const int MostMessages = 32;

    // RocketMQ: DefaultMQPushConsumerImpl.MIN_POP_INVISIBLE_TIME, MAX_POP_INVISIBLE_TIME.
    private static readonly TimeSpan MostInvisible = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan MostPoll = TimeSpan.FromSeconds(30);

    private protected PopOptions()
    {
    }

    /// <summary>The consumer group: each message goes to one of its members, whichever asks first.</summary>
    public string Group { get; set; } = "";

    /// <summary>
    /// What to consume: tag expressions by topic, for instance <c>["orders"] = "created || paid"</c>, or <c>*</c> for all messages. More
    /// can be added with the consumer's <c>Subscribe</c>.
    /// </summary>
    public IDictionary<string, string> Subscriptions { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Where the group begins in a queue of which it has no offset yet: <see cref="ConsumeFrom.Last"/> or <see cref="ConsumeFrom.First"/>.
    /// </summary>
    public ConsumeFrom ConsumeFrom { get; set; } = ConsumeFrom.Last;

    /// <summary>
    /// Whether the messages of a queue come in order: brokers hand out no others of a queue until those that were received are
    /// acknowledged, or their time is over.
    /// </summary>
    public bool Orderly { get; set; }

    /// <summary>How long a message that was received stays invisible to others: 10 ms to 5 minutes.</summary>
    public TimeSpan InvisibleTime { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Most messages of one pop, up to 32, which is what brokers allow.</summary>
    public int BatchSize { get; set; } = MostMessages;

    /// <summary>How long a broker waits for a first message before it answers, up to 30 s.</summary>
    public TimeSpan PollTime { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How often brokers are asked what to pop, besides whenever one says that the members have changed.</summary>
    public TimeSpan AssignmentInterval { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>The longest pause after pops that failed; the first are tried again sooner.</summary>
    public TimeSpan PopErrorDelay { get; set; } = TimeSpan.FromSeconds(3);

    private protected override void FindProblems(List<string> problems)
    {
        base.FindProblems(problems);
        if (GroupNames.Problem(Group) is { } group)
        {
            problems.Add($"{nameof(Group)}: {group}");
        }

        if (ConsumeFrom is not (ConsumeFrom.First or ConsumeFrom.Last))
        {
            problems.Add($"{nameof(ConsumeFrom)} is {ConsumeFrom}: pop begins with the {ConsumeFrom.First} or the {ConsumeFrom.Last}");
        }

        RequireRange(
            problems, (long)InvisibleTime.TotalMilliseconds, 10, (long)MostInvisible.TotalMilliseconds, $"{nameof(InvisibleTime)} in ms");
        RequireRange(problems, (long)PollTime.TotalMilliseconds, 1, (long)MostPoll.TotalMilliseconds, $"{nameof(PollTime)} in ms");
        RequireRange(problems, BatchSize, 1, MostMessages, nameof(BatchSize));
        RequirePositive(problems, AssignmentInterval, nameof(AssignmentInterval));
        RequirePositive(problems, PopErrorDelay, nameof(PopErrorDelay));
    }
}
