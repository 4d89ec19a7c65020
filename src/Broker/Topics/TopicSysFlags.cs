namespace GrayMQ.Broker.Topics;

/// <summary>Bits of a topic's flags (RocketMQ: TopicSysFlag).</summary>
internal static class TopicSysFlags
{
    /// <summary>The topic belongs to a unit.</summary>
    public const int Unit = 1;

    /// <summary>Consumers of a unit subscribe to the topic.</summary>
    public const int UnitSubscription = 2;
}
