namespace GrayMQ.Gray;

/// <summary>What a gray state may hold at most; what lies beyond is refused, never cut.</summary>
public static class GrayLimits
{
    /// <summary>Bytes of a snapshot, a command or a report as JSON.</summary>
    public const int MaxBytes = 16 << 20;

    public const int MaxTopics = 10_000;

    /// <summary>Releases in one snapshot, closed ones included.</summary>
    public const int MaxReleases = 10_000;

    /// <summary>Rules of one release.</summary>
    public const int MaxRules = 256;

    /// <summary>Stored sides of clients of one release.</summary>
    public const int MaxClients = 10_000;

    /// <summary>Queues that one report tells of.</summary>
    public const int MaxReportedQueues = 100_000;

    /// <summary>UTF-16 units of a topic's name (RocketMQ: TopicValidator.TOPIC_MAX_LENGTH is 127; retry topics hold a group's name).</summary>
    public const int MaxTopicLength = 512;

    /// <summary>UTF-16 units of a group's name (RocketMQ: Validators.CHARACTER_MAX_LENGTH).</summary>
    public const int MaxGroupLength = 255;

    /// <summary>UTF-16 units of a client id.</summary>
    public const int MaxClientIdLength = 1024;

    /// <summary>UTF-16 units of a rule's pattern.</summary>
    public const int MaxPatternLength = 1024;

    /// <summary>UTF-16 units of who did something, from where and why.</summary>
    public const int MaxTextLength = 1024;

    /// <summary>Queues of a topic on one broker.</summary>
    public const int MaxQueues = 16_384;
}
