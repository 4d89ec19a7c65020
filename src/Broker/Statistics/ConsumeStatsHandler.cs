using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Broker.Statistics;

/// <summary>
/// How far groups have come: GET_CONSUME_STATS (208), GET_BROKER_CONSUME_STATS (317), QUERY_CONSUME_TIME_SPAN (303). Reads the
/// log for store times: belongs on the thread pool.
/// </summary>
internal sealed class ConsumeStatsHandler(
    string brokerName,
    string brokerAddress,
    ConsumeProgress progress,
    TopicTable topics,
    SubscriptionGroupTable groups,
    ConsumerOffsetTable offsets,
    MessageStore store,
    TimeProvider time)
{
    public ValueTask GroupAsync(RemotingRequest request, GetConsumeStatsHeader header)
    {
        // Topics that are named in a list are looked at whether the group subscribes to them or not.
        IEnumerable<string> names = header.Topics.Count > 0 ? header.Topics.Distinct(StringComparer.Ordinal)
            : string.IsNullOrWhiteSpace(header.Topic) ? progress.TopicsOf(header.ConsumerGroup)
            : progress.MaySubscribe(header.ConsumerGroup, header.Topic) ? [header.Topic]
            : [];
        var stats = new ConsumeStats();
        foreach (Topic topic in names.Select(topics.Find).OfType<Topic>())
        {
            progress.AddTo(stats, header.ConsumerGroup, topic.Name, topic.Config.ReadQueueNums);
        }

        request.Reply(BodyCodec.Encode(stats));
        return ValueTask.CompletedTask;
    }

    public ValueTask AllGroupsAsync(RemotingRequest request, GetBrokerConsumeStatsHeader header)
    {
        var body = new ConsumeStatsList { BrokerAddr = brokerAddress };
        foreach (SubscriptionGroupConfig group in groups.Snapshot().Groups)
        {
            var ofGroup = new List<ConsumeStats>();
            foreach (Topic topic in progress.TopicsOf(group.GroupName).Select(topics.Find).OfType<Topic>())
            {
                if (!header.IsOrder || topic.Config.Order)
                {
                    var stats = new ConsumeStats();
                    progress.AddTo(stats, group.GroupName, topic.Name, topic.Config.WriteQueueNums);
                    ofGroup.Add(stats);
                    body.TotalDiff += stats.OffsetTable.Values.Sum(queue => queue.BrokerOffset - queue.ConsumerOffset);
                    body.TotalInflightDiff += stats.OffsetTable.Values.Sum(queue => queue.PullOffset - queue.ConsumerOffset);
                }
            }

            body.Groups.Add(new Dictionary<string, List<ConsumeStats>>(StringComparer.Ordinal) { [group.GroupName] = ofGroup });
        }

        request.Reply(BodyCodec.Encode(body));
        return ValueTask.CompletedTask;
    }

    public ValueTask TimeSpanAsync(RemotingRequest request, GroupTopicHeader header)
    {
        Topic topic = topics.Find(header.Topic)
            ?? throw new RemotingException(ResponseCode.TopicNotExist, $"topic[{header.Topic}] not exist");
        var body = new QueryConsumeTimeSpanBody
        {
            ConsumeTimeSpanSet =
            [
                .. Enumerable.Range(0, topic.Config.WriteQueueNums).Select(queueId => SpanOf(header.Group, topic.Name, queueId)),
            ],
        };
        request.Reply(BodyCodec.Encode(body));
        return ValueTask.CompletedTask;
    }

    private QueueTimeSpan SpanOf(string group, string topic, int queueId)
    {
        LogicQueue? queue = store.FindQueue(topic, queueId);
        long consumed = offsets.Find(group, topic, queueId);
        long earliest = StoreTimeOf(queue, queue?.MinOffset ?? 0);
        bool behind = queue is not null && consumed < queue.MaxOffset;
        return new QueueTimeSpan
        {
            MessageQueue = new MessageQueue(topic, brokerName, queueId),
            MinTimeStamp = earliest,
            MaxTimeStamp = StoreTimeOf(queue, (queue?.MaxOffset ?? 0) - 1),
            ConsumeTimeStamp = consumed > 0 ? StoreTimeOf(queue, consumed - 1) : earliest,
            DelayTime = behind ? Delay(queue!, Math.Max(consumed, queue!.MinOffset)) : 0,
        };
    }

    private long Delay(LogicQueue queue, long nextOffset)
    {
        long storedAt = StoreTimeOf(queue, nextOffset);
        return storedAt < 0 ? 0 : Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - storedAt);
    }

    private long StoreTimeOf(LogicQueue? queue, long queueOffset) =>
        queue is null || queueOffset < 0 ? -1 : store.StoreTimestampOf(queue, queueOffset);
}
