using System.Collections.Concurrent;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Dispatch;

/// <summary>How a consumer has fared with each topic in the last minute: what brokers ask for (RocketMQ: ConsumerStatsManager).</summary>
internal sealed class ConsumeStatistics(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, TopicRates> _byTopic = new(StringComparer.Ordinal);

    public void Pulled(string topic, int messages, TimeSpan took)
    {
        TopicRates rates = Of(topic);
        rates.PullCalls.Add(1, took.TotalMilliseconds);
        rates.Pulled.Add(messages);
    }

    public void Consumed(string topic, int messages, bool success, TimeSpan took)
    {
        TopicRates rates = Of(topic);
        rates.ConsumeCalls.Add(1, took.TotalMilliseconds);
        (success ? rates.Succeeded : rates.Failed).Add(messages);
    }

    public ConsumeStatus Describe(string topic)
    {
        TopicRates rates = Of(topic);
        (long failed, double failedPerSecond, _) = rates.Failed.Read();
        return new ConsumeStatus
        {
            PullTps = rates.Pulled.Read().PerSecond,
            PullRtMs = rates.PullCalls.Read().Average,
            ConsumeOkTps = rates.Succeeded.Read().PerSecond,
            ConsumeFailedTps = failedPerSecond,
            ConsumeFailedMsgs = failed,
            ConsumeRtMs = rates.ConsumeCalls.Read().Average,
        };
    }

    private TopicRates Of(string topic) => _byTopic.GetOrAdd(topic, static (_, time) => new TopicRates(time), time);

    private sealed class TopicRates(TimeProvider time)
    {
        public RateWindow PullCalls { get; } = new(time);

        public RateWindow Pulled { get; } = new(time);

        public RateWindow ConsumeCalls { get; } = new(time);

        public RateWindow Succeeded { get; } = new(time);

        public RateWindow Failed { get; } = new(time);
    }
}
