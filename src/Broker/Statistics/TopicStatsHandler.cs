using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Broker.Statistics;

/// <summary>
/// What a topic holds: GET_TOPIC_STATS_INFO (202); and any one of the broker's statistics by its name: VIEW_BROKER_STATS_DATA
/// (315). Reads the log for store times: belongs on the thread pool.
/// </summary>
internal sealed class TopicStatsHandler(string brokerName, TopicTable topics, MessageStore store, BrokerStatistics statistics)
{
    public ValueTask TopicAsync(RemotingRequest request, TopicHeader header)
    {
        Topic topic = topics.Find(header.Topic)
            ?? throw new RemotingException(ResponseCode.TopicNotExist, $"topic[{header.Topic}] not exist");
        var body = new TopicStatsTable { TopicPutTps = statistics.PutTps(topic.Name) };
        TopicConfig config = topic.Config;
        for (int queueId = 0; queueId < Math.Max(config.WriteQueueNums, config.ReadQueueNums); queueId++)
        {
            LogicQueue? queue = store.FindQueue(topic.Name, queueId);
            long max = queue?.MaxOffset ?? 0;
            body.OffsetTable[new MessageQueue(topic.Name, brokerName, queueId)] = new TopicOffset
            {
                MinOffset = queue?.MinOffset ?? 0,
                MaxOffset = max,
                LastUpdateTimestamp = max > 0 ? store.StoreTimestampOf(queue!, max - 1) : 0,
            };
        }

        request.Reply(BodyCodec.Encode(body));
        return ValueTask.CompletedTask;
    }

    public ValueTask StatsAsync(RemotingRequest request, ViewBrokerStatsDataHeader header)
    {
        StatsView view = statistics.Find(header.StatsName, header.StatsKey)
            ?? throw new RemotingException(
                ResponseCode.SystemError, $"The stats <{header.StatsName}> <{header.StatsKey}> not exist");
        var body = new BrokerStatsData
        {
            StatsMinute = ToItem(view.Minute),
            StatsHour = ToItem(view.Hour),
            StatsDay = ToItem(view.Day),
        };
        request.Reply(BodyCodec.Encode(body));
        return ValueTask.CompletedTask;
    }

    private static BrokerStatsItem ToItem(StatsSum sum) => new()
    {
        Sum = sum.Sum,
        Tps = sum.PerSecond,
        AveragePerEvent = sum.PerRequest,
    };
}
