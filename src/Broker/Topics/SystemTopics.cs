using System.Collections.Frozen;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Broker.Topics;

/// <summary>
/// The topics that a broker has by itself (RocketMQ: TopicConfigManager.init, TopicValidator). Of RocketMQ's, those are
/// left out that have nothing to hold here: pop check points live in RocksDB (rmq_sys_REVIVE_LOG_*), and member groups come from the name server (rmq_sys_SYNC_BROKER_MEMBER_*).
/// </summary>
public sealed class SystemTopics
{
    private const int BenchmarkQueueNums = 1024;
    private const int ClusterQueueNums = 16;

    // One per delay level that RocketMQ knows by default.
    private const int ScheduleQueueNums = 18;

    private static readonly FrozenSet<string> KeptFromClients = FrozenSet.Create(
        StringComparer.Ordinal,
        TopicNames.Schedule,
        TopicNames.WheelTimer,
        TopicNames.TransactionHalf,
        TopicNames.TransactionOperation,
        TopicNames.TransactionChecksExceeded,
        TopicNames.SelfTest,
        TopicNames.OffsetMovedEvent);

    private readonly FrozenSet<string> _names;

    public SystemTopics(TopicOptions options)
    {
        Configs = [.. Create(options)];
        _names = Configs.Select(config => config.TopicName)
            .Concat([
                TopicNames.AutoCreateTemplate,
                TopicNames.Trace,
                TopicNames.TransactionChecksExceeded,
                TopicNames.CheckPoint,
            ])
            .ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>The topics that exist from the start.</summary>
    public IReadOnlyList<TopicConfig> Configs { get; }

    /// <summary>All names that are reserved, in ordinal order; beyond them, each name that begins with rmq_sys_.</summary>
    public IEnumerable<string> Names => _names.Order(StringComparer.Ordinal);

    /// <summary>Whether it is for brokers alone to create, change and delete the topic.</summary>
    public bool Contains(string topic) =>
        _names.Contains(topic) || topic.StartsWith(TopicNames.SystemPrefix, StringComparison.Ordinal);

    /// <summary>Whether the name is one of RocketMQ's own, at every broker (RocketMQ: TopicValidator.isSystemTopic).</summary>
    public static bool IsReserved(string topic) =>
        topic is TopicNames.AutoCreateTemplate or TopicNames.Benchmark or TopicNames.Trace or TopicNames.CheckPoint
        || IsForbiddenToSend(topic)
        || topic.StartsWith(TopicNames.SystemPrefix, StringComparison.Ordinal);

    /// <summary>Whether clients may not send to the topic, whatever its permission.</summary>
    public static bool IsForbiddenToSend(string topic) => KeptFromClients.Contains(topic);

    private static IEnumerable<TopicConfig> Create(TopicOptions options)
    {
        yield return New(TopicNames.SelfTest, 1);
        if (options.AutoCreateTopicEnable)
        {
            yield return New(TopicNames.AutoCreateTemplate, options.DefaultTopicQueueNums, TopicPermission.All);
        }

        yield return New(TopicNames.Benchmark, BenchmarkQueueNums);
        yield return New(options.BrokerClusterName, ClusterQueueNums, Template(options.ClusterTopicEnable));
        yield return New(options.BrokerName, 1, Template(options.BrokerTopicEnable));
        yield return New(TopicNames.OffsetMovedEvent, 1);
        yield return New(TopicNames.Schedule, ScheduleQueueNums);
        yield return New(TopicNames.WheelTimer, 1);
        if (options.TraceTopicEnable)
        {
            yield return New(options.MsgTraceTopicName, 1);
        }

        yield return New(options.BrokerClusterName + TopicNames.ReplySuffix, 1);
        yield return New(TopicNames.TransactionHalf, 1);
        yield return New(TopicNames.TransactionOperation, 1);
    }

    private static int Template(bool readWrite) => readWrite ? TopicPermission.All : TopicPermission.Inherit;

    private static TopicConfig New(string name, int queueNums, int permission = TopicPermission.ReadWrite) => new()
    {
        TopicName = name,
        ReadQueueNums = queueNums,
        WriteQueueNums = queueNums,
        Perm = permission,
    };
}
