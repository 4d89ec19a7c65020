namespace GrayMQ.Broker.Statistics;

/// <summary>The statistics that can be asked for by name (RocketMQ: Stats, BrokerStatsManager).</summary>
public static class StatsName
{
    public const string TopicPutNums = "TOPIC_PUT_NUMS";
    public const string TopicPutSize = "TOPIC_PUT_SIZE";

    /// <summary>By <c>topic@group</c>.</summary>
    public const string GroupGetNums = "GROUP_GET_NUMS";

    /// <inheritdoc cref="GroupGetNums"/>
    public const string GroupGetSize = "GROUP_GET_SIZE";

    /// <summary>Messages that consumers sent back, by <c>topic@group</c>.</summary>
    public const string SendBackPutNums = "SNDBCK_PUT_NUMS";

    /// <summary>By the cluster's name.</summary>
    public const string BrokerPutNums = "BROKER_PUT_NUMS";

    /// <inheritdoc cref="BrokerPutNums"/>
    public const string BrokerGetNums = "BROKER_GET_NUMS";
}
