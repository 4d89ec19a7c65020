using System.Globalization;
using GrayMQ.Hosting.Http;

namespace GrayMQ.Broker.Transactions;

/// <summary>The figures of transactions for Prometheus, under RocketMQ's names (BrokerMetricsManager.initTransactionMetrics).</summary>
internal sealed class TransactionMetrics(HalfMessageStore halves, TransactionStatistics statistics)
{
    public void Write(PrometheusWriter page)
    {
        page.Gauge("rocketmq_half_messages", "Transactions that have not ended");
        foreach ((string topic, long count) in halves.CountByTopic())
        {
            page.Sample(count, ("topic", topic));
        }

        page.Counter("rocketmq_commit_messages_total", "Transactions that were committed");
        foreach ((string topic, TopicTransactions transactions) in statistics.Topics)
        {
            page.Sample(transactions.Commits, ("topic", topic));
        }

        page.Counter("rocketmq_rollback_messages_total", "Transactions that were rolled back");
        foreach ((string topic, TopicTransactions transactions) in statistics.Topics)
        {
            page.Sample(transactions.Rollbacks, ("topic", topic));
        }

        page.Histogram("rocketmq_finish_message_latency", "Seconds from the half message to its commit");
        foreach ((string topic, TopicTransactions transactions) in statistics.Topics)
        {
            WriteLatency(page, topic, transactions);
        }
    }

    private static void WriteLatency(PrometheusWriter page, string topic, TopicTransactions transactions)
    {
        long upTo = 0;
        for (int i = 0; i < TransactionStatistics.LatencyBoundsSeconds.Count; i++)
        {
            upTo += transactions.CommitsByLatency[i];
            string bound = TransactionStatistics.LatencyBoundsSeconds[i].ToString(CultureInfo.InvariantCulture);
            page.Part("bucket", upTo, ("topic", topic), ("le", bound));
        }

        long all = upTo + transactions.CommitsByLatency[^1];
        page.Part("bucket", all, ("topic", topic), ("le", "+Inf"));
        page.Part("sum", transactions.CommitSeconds, ("topic", topic));
        page.Part("count", all, ("topic", topic));
    }
}
