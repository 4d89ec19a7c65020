using GrayMQ.Protocol.Names;

namespace GrayMQ.Broker.Topics;

/// <summary>How topics come to be. The members are named like RocketMQ's keys.</summary>
public sealed record TopicOptions
{
    /// <summary>Most queues of a topic. RocketMQ knows no limit; more than these is a slip of the keyboard.</summary>
    public const int MaxQueueNums = 65_536;

    /// <summary>Also the name of a topic, for which see <see cref="ClusterTopicEnable"/>.</summary>
    public required string BrokerClusterName { get; init; }

    /// <summary>Also the name of a topic, for which see <see cref="BrokerTopicEnable"/>.</summary>
    public required string BrokerName { get; init; }

    /// <summary>Whether the first send to a topic creates it, like TBW102.</summary>
    public bool AutoCreateTopicEnable { get; init; } = true;

    /// <summary>Queues of TBW102, and so at most of a topic that is created by a send.</summary>
    public int DefaultTopicQueueNums { get; init; } = 8;

    /// <summary>Whether clients may read and write the topic named like the cluster.</summary>
    public bool ClusterTopicEnable { get; init; } = true;

    /// <summary>Whether clients may read and write the topic named like the broker.</summary>
    public bool BrokerTopicEnable { get; init; } = true;

    public bool TraceTopicEnable { get; init; }

    public string MsgTraceTopicName { get; init; } = TopicNames.Trace;

    /// <summary>Whether administrators are kept from updating and deleting system topics.</summary>
    public bool ValidateSystemTopicWhenUpdateTopic { get; init; } = true;

    /// <summary>Whether a topic's message.type may be MIXED.</summary>
    public bool EnableMixedMessageType { get; init; }

    /// <summary>Whether deleting a topic deletes its consumers' pop retry topics.</summary>
    public bool ClearRetryTopicWhenDeleteTopic { get; init; } = true;
}
