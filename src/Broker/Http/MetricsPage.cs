using System.Globalization;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Names;
using GrayMQ.Broker.Pulling;
using GrayMQ.Broker.Statistics;
using GrayMQ.Broker.Topics;
using GrayMQ.Broker.Transactions;
using GrayMQ.Hosting.Http;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;

namespace GrayMQ.Broker.Http;

/// <summary>
/// The broker's figures for Prometheus, under RocketMQ's names and labels where RocketMQ has them (BrokerMetricsConstant,
/// DefaultStoreMetricsConstant).
/// </summary>
internal sealed class MetricsPage(
    string clusterName,
    string brokerName,
    string rootDirectory,
    BrokerStatistics statistics,
    ConsumeProgress progress,
    TopicTable topics,
    SubscriptionGroupTable groups,
    ConsumerTable consumers,
    ProducerTable producers,
    ParkedPulls parked,
    MessageStore store,
    TransactionMetrics transactions,
    BrokerLifecycle lifecycle,
    Warmup warmup,
    TimeProvider time)
{
    public PrometheusWriter Write()
    {
        PrometheusWriter page = Begin(clusterName, brokerName);
        WriteLifecycle(page);
        WriteTraffic(page);
        transactions.Write(page);
        WriteConsumers(page);
        WriteConnections(page);
        WriteStore(page);
        ProcessMetrics.Write(page);
        return page;
    }

    /// <summary>A page whose samples say which broker they are of.</summary>
    public static PrometheusWriter Begin(string clusterName, string brokerName) =>
        new(("node_type", "broker"), ("cluster", clusterName), ("node_id", brokerName));

    /// <summary>Where the broker stands in its life.</summary>
    public static void WriteState(PrometheusWriter page, BrokerLifecycle lifecycle)
    {
        page.Gauge("graymq_lifecycle_state", "1 for the state that the broker is in");
        foreach (LifecycleState state in Enum.GetValues<LifecycleState>())
        {
            page.Sample(state == lifecycle.State ? 1 : 0, ("state", state.ToName()));
        }
    }

    private void WriteLifecycle(PrometheusWriter page)
    {
        WriteState(page, lifecycle);
        page.Gauge("graymq_warmup_state", "1 for the state of warming up that the broker is in");
        foreach (WarmupState state in Enum.GetValues<WarmupState>())
        {
            page.Sample(state == warmup.State ? 1 : 0, ("state", state.ToName()));
        }

        page.Gauge("graymq_write_share", "Part of the write queues that the routes show, 0 to 1")
            .Sample(lifecycle.State == LifecycleState.Serving ? warmup.Share : 0);
    }

    private void WriteTraffic(PrometheusWriter page)
    {
        WriteSent(page, "rocketmq_messages_in_total", "Messages that were sent", traffic => traffic.Messages);
        WriteSent(page, "rocketmq_throughput_in_total", "Bytes that were stored", traffic => traffic.Bytes);
        WriteByGroup(
            page, "rocketmq_messages_out_total", "Messages that consumers were given", statistics.Gets, traffic => traffic.Messages);
        WriteByGroup(
            page, "rocketmq_throughput_out_total", "Bytes that consumers were given", statistics.Gets, traffic => traffic.Bytes);
        WriteByGroup(
            page,
            "rocketmq_send_to_dlq_messages_total",
            "Messages that were put among dead letters",
            statistics.DeadLetters,
            traffic => traffic.Messages);
    }

    private void WriteSent(PrometheusWriter page, string name, string help, Func<Traffic, long> value)
    {
        page.Counter(name, help);
        foreach ((string topic, TrafficCounter counter) in statistics.Puts)
        {
            page.Sample(value(counter.Total), ("topic", topic), ("is_system", Text(topics.SystemTopics.Contains(topic))));
        }
    }

    private void WriteByGroup(
        PrometheusWriter page,
        string name,
        string help,
        IEnumerable<KeyValuePair<string, TrafficCounter>> counters,
        Func<Traffic, long> value)
    {
        page.Counter(name, help);
        foreach ((string key, TrafficCounter counter) in counters)
        {
            if (GroupTopic.TryParse(key, out GroupTopic pair))
            {
                page.Sample(value(counter.Total), LabelsOf(pair.Group, pair.Topic));
            }
        }
    }

    private void WriteConsumers(PrometheusWriter page)
    {
        var lags = new List<(string Group, string Topic, ConsumeLag Lag)>();
        foreach (SubscriptionGroupConfig group in groups.Snapshot().Groups)
        {
            foreach (string topic in progress.TopicsOf(group.GroupName))
            {
                lags.Add((group.GroupName, topic, progress.LagOf(group.GroupName, topic)));
            }
        }

        page.Gauge("rocketmq_consumer_lag_messages", "Messages that a group has not consumed yet");
        foreach ((string group, string topic, ConsumeLag lag) in lags)
        {
            page.Sample(lag.Messages, LabelsOf(group, topic));
        }

        page.Gauge("rocketmq_consumer_lag_latency", "Milliseconds since the first of them was stored");
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach ((string group, string topic, ConsumeLag lag) in lags)
        {
            page.Sample(lag.OldestStoredAtMs > 0 ? Math.Max(0, now - lag.OldestStoredAtMs) : 0, LabelsOf(group, topic));
        }
    }

    private void WriteConnections(PrometheusWriter page)
    {
        page.Gauge("rocketmq_producer_connections", "Connections of producers");
        var producing = producers.Groups.SelectMany(group => group.Value).Select(client => client.Session).Distinct();
        foreach (var kind in producing.GroupBy(session => (session.Language, session.Version)))
        {
            page.Sample(
                kind.Count(),
                ("language", LanguageOf(kind.Key.Language)),
                ("version", Text(kind.Key.Version)),
                ("protocol_type", "remoting"));
        }

        page.Gauge("rocketmq_consumer_connections", "Connections of consumers");
        foreach (ConsumerGroup group in consumers.Groups)
        {
            foreach (var kind in group.Clients.GroupBy(client => (client.Language, client.Version)))
            {
                page.Sample(
                    kind.Count(),
                    ("consumer_group", group.Name),
                    ("language", LanguageOf(kind.Key.Language)),
                    ("version", Text(kind.Key.Version)),
                    ("consume_mode", ModeOf(group.ConsumeType)),
                    ("protocol_type", "remoting"),
                    ("is_system", Text(IsSystem(group.Name))));
            }
        }

        page.Gauge("rocketmq_topic_number", "Topics").Sample(topics.Count);
        page.Gauge("rocketmq_consumer_group_number", "Consumer groups").Sample(groups.Count);
        page.Gauge("graymq_parked_pulls", "Pulls that wait for messages").Sample(parked.Count);
    }

    private void WriteStore(PrometheusWriter page)
    {
        var drive = new DriveInfo(rootDirectory);
        (string, string)[] where = [("storage_type", "local"), ("storage_medium", "disk")];
        page.Gauge("rocketmq_storage_size", "Bytes in use on the disk of the store")
            .Sample(drive.TotalSize - drive.TotalFreeSpace, where);
        page.Gauge("graymq_storage_available_bytes", "Bytes that the store can still use").Sample(drive.AvailableFreeSpace, where);
        page.Gauge("rocketmq_storage_flush_behind_bytes", "Bytes that are not on the disk yet")
            .Sample(Math.Max(0, store.MaxPhysicalOffset - store.FlushedOffset), where);
        page.Gauge("rocketmq_storage_dispatch_behind_bytes", "Bytes that no queue knows of yet")
            .Sample(store.DispatchBehindBytes, where);
        long earliest = store.EarliestStoreTimestampMs;
        if (earliest > 0)
        {
            page.Gauge("rocketmq_storage_message_reserve_time", "Milliseconds since the oldest message was stored")
                .Sample(time.GetUtcNow().ToUnixTimeMilliseconds() - earliest, where);
        }

        page.Gauge("graymq_storage_writable", "1 while messages are taken").Sample(store.IsWritable ? 1 : 0);
    }

    private (string, string)[] LabelsOf(string group, string topic) =>
    [
        ("consumer_group", group),
        ("topic", topic),
        ("is_retry", Text(topic.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal))),
        ("is_system", Text(IsSystem(group) || topics.SystemTopics.Contains(topic))),
    ];

    private static bool IsSystem(string group) => group.StartsWith(GroupNames.SystemPrefix, StringComparison.Ordinal);

    private static string LanguageOf(LanguageCode language) => language.ToName().ToLowerInvariant();

    private static string ModeOf(ConsumeType type) => type switch
    {
        ConsumeType.Actively => "pull",
        ConsumeType.Pop => "pop",
        _ => "push",
    };

    private static string Text(bool value) => value ? "true" : "false";

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
