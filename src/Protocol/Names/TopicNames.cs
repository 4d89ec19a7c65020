namespace GrayMQ.Protocol.Names;

/// <summary>Topic names that mean something, and what a topic may be called (RocketMQ: TopicValidator, MixAll, NamespaceUtil).</summary>
public static class TopicNames
{
    /// <summary>Most characters of a topic's name.</summary>
    public const int MaxLength = 127;

    /// <summary>Begins the topic of a group's messages that failed and will be consumed again.</summary>
    public const string RetryPrefix = "%RETRY%";

    /// <summary>Begins the topic of a group's messages that failed too often.</summary>
    public const string DeadLetterPrefix = "%DLQ%";

    /// <summary>Begins names that only brokers create.</summary>
    public const string SystemPrefix = "rmq_sys_";

    /// <summary>The topic whose queue numbers and permission a topic takes over that is created by the first send to it.</summary>
    public const string AutoCreateTemplate = "TBW102";

    public const string SelfTest = "SELF_TEST_TOPIC";
    public const string Benchmark = "BenchmarkTest";
    public const string OffsetMovedEvent = "OFFSET_MOVED_EVENT";

    /// <summary>Holds messages that are delayed by a level, a queue for each level.</summary>
    public const string Schedule = "SCHEDULE_TOPIC_XXXX";

    /// <summary>Holds messages that are delivered at a time of their own.</summary>
    public const string WheelTimer = "rmq_sys_wheel_timer";
    public const string Trace = "RMQ_SYS_TRACE_TOPIC";
    public const string TransactionHalf = "RMQ_SYS_TRANS_HALF_TOPIC";
    public const string TransactionOperation = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
    public const string TransactionChecksExceeded = "TRANS_CHECK_MAX_TIME_TOPIC";
    public const string CheckPoint = "CHECKPOINT_TOPIC";

    /// <summary>Follows the cluster's name in the topic of replies to requests.</summary>
    public const string ReplySuffix = "_REPLY_TOPIC";

    /// <summary>What is wrong with the name, in words for the client; null when nothing is.</summary>
    public static string? Problem(ReadOnlySpan<char> name) =>
        name.IsWhiteSpace() ? Blank
        : !NameCharacters.AreLegal(name) ? Illegal
        : name.Length > MaxLength ? TooLong
        : null;

    /// <inheritdoc cref="Problem(ReadOnlySpan{char})"/>
    public static string? Problem(ReadOnlySpan<byte> utf8Name) =>
        utf8Name.Trim(" \t\r\n"u8).IsEmpty ? Blank
        : !NameCharacters.AreLegal(utf8Name) ? Illegal
        : utf8Name.Length > MaxLength ? TooLong
        : null;

    /// <summary>The topic of the group's messages that will be consumed again.</summary>
    public static string RetryOf(string group) => RetryPrefix + group;

    /// <summary>The topic of the group's messages that failed too often.</summary>
    public static string DeadLetterOf(string group) => DeadLetterPrefix + group;

    /// <summary>The retry topic of one topic under pop: <c>%RETRY%group_topic</c>, or with a plus sign in its second form.</summary>
    public static string PopRetryOf(string topic, string group, bool secondForm = false) =>
        RetryPrefix + group + (secondForm ? '+' : '_') + topic;

    private const string Blank = "the specified topic is blank";
    private const string Illegal = "the specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$";
    private static readonly string TooLong = $"the specified topic is longer than topic max length {MaxLength}";
}
