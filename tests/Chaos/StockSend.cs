using System.Text;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Chaos;

/// <summary>What a stock producer says with a message.</summary>
internal static class StockSend
{
    // RocketMQ: TopicValidator.AUTO_CREATE_TOPIC_KEY_TOPIC
    private static readonly byte[] TopicOfNewTopics = "TBW102"u8.ToArray();

    /// <param name="queues">How many the topic is made with, if it is not there yet.</param>
    public static SendMessageHeader Header(string group, string topic, int queues, int queueId = 0) => new()
    {
        ProducerGroup = Encoding.UTF8.GetBytes(group),
        Topic = Encoding.UTF8.GetBytes(topic),
        DefaultTopic = TopicOfNewTopics,
        DefaultTopicQueueNums = queues,
        QueueId = queueId,
        BornTimestampMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
    };
}
