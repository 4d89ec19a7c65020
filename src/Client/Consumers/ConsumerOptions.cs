using GrayMQ.Client.Consumers.Rebalance;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Client.Consumers;

/// <summary>What push and pull consumers have in common.</summary>
public abstract class ConsumerOptions : ClientOptions
{
    private protected const int MaxBatchSize = 1024;

    private protected ConsumerOptions()
    {
    }

    /// <summary>The consumer group: its members share the messages of their topics, and its offsets are kept under this name.</summary>
    public string Group { get; set; } = "";

    /// <summary>Whether the members share the messages, or each gets all of them.</summary>
    public MessageModel MessageModel { get; set; } = MessageModel.Clustering;

    /// <summary>Where the group begins in a queue of which it has no offset yet.</summary>
    public ConsumeFrom ConsumeFrom { get; set; } = ConsumeFrom.Last;

    /// <summary>The time of <see cref="ConsumeFrom.Timestamp"/>; null is half an hour before the consumer is made.</summary>
    public DateTimeOffset? ConsumeFromTime { get; set; }

    /// <summary>How queues are shared out; all members have to use the same rule.</summary>
    public IQueueAllocation Allocation { get; set; } = QueueAllocations.Average;

    /// <summary>How often queues are shared out anew, besides whenever a broker says that the members have changed.</summary>
    public TimeSpan RebalanceInterval { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How often offsets are committed.</summary>
    public TimeSpan OffsetCommitInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Where a broadcasting consumer keeps its offsets, in <c>clientId/group/offsets.json</c>: unless set, <c>.rocketmq_offsets</c>
    /// in the user's home, where RocketMQ's clients have theirs.
    /// </summary>
    public string OffsetFolder { get; set; } =
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".rocketmq_offsets");

    /// <summary>Most messages of one pull.</summary>
    public int PullBatchSize { get; set; } = 32;

    /// <summary>Most bytes of one pull.</summary>
    public int PullMaxBytes { get; set; } = 256 * 1024;

    /// <summary>A queue of which more messages than these wait here is not pulled (RocketMQ: pullThresholdForQueue).</summary>
    public int MaxCachedMessagesPerQueue { get; set; } = 1000;

    /// <summary>A queue of which more bytes than these wait here is not pulled (RocketMQ: pullThresholdSizeForQueue).</summary>
    public long MaxCachedBytesPerQueue { get; set; } = 100L * 1024 * 1024;

    /// <summary>The longest pause after pulls that failed; the first are tried again sooner.</summary>
    public TimeSpan PullErrorDelay { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>The offset folder of one client.</summary>
    internal string OffsetFolderOf(string clientId) => Path.Combine(OffsetFolder, clientId, Group);

    private protected override void FindProblems(List<string> problems)
    {
        base.FindProblems(problems);
        if (GroupNames.Problem(Group) is { } group)
        {
            problems.Add($"{nameof(Group)}: {group}");
        }

        if (Allocation is null)
        {
            problems.Add($"{nameof(Allocation)} is null");
        }

        if (!Enum.IsDefined(MessageModel))
        {
            problems.Add($"{nameof(MessageModel)} is {MessageModel}");
        }

        if (!Enum.IsDefined(ConsumeFrom))
        {
            problems.Add($"{nameof(ConsumeFrom)} is {ConsumeFrom}");
        }

        if (MessageModel == MessageModel.Broadcasting && string.IsNullOrEmpty(OffsetFolder))
        {
            problems.Add($"{nameof(OffsetFolder)} is empty: a broadcasting consumer needs one");
        }

        RequirePositive(problems, RebalanceInterval, nameof(RebalanceInterval));
        RequirePositive(problems, OffsetCommitInterval, nameof(OffsetCommitInterval));
        RequirePositive(problems, PullErrorDelay, nameof(PullErrorDelay));
        RequireRange(problems, PullBatchSize, 1, MaxBatchSize, nameof(PullBatchSize));
        RequireRange(problems, PullMaxBytes, 1, int.MaxValue, nameof(PullMaxBytes));
        RequireRange(problems, MaxCachedMessagesPerQueue, 1, ushort.MaxValue, nameof(MaxCachedMessagesPerQueue));
        RequireRange(problems, MaxCachedBytesPerQueue, 1, long.MaxValue, nameof(MaxCachedBytesPerQueue));
    }
}
