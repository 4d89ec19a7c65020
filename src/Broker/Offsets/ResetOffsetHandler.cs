using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Offsets;

/// <summary>
/// INVOKE_BROKER_TO_RESET_OFFSET (222): lets a group go on from elsewhere. As the settings say, the broker keeps that for the
/// consumers' next pull, online or not, or tells those that are online (RESET_CONSUMER_CLIENT_OFFSET, 220). Reads the disk: belongs on
/// the thread pool.
/// </summary>
internal sealed class ResetOffsetHandler(
    string brokerName,
    OffsetOptions options,
    TopicTable topics,
    SubscriptionGroupTable groups,
    ConsumerTable consumers,
    ConsumerOffsetTable offsets,
    MessageStore store,
    ILogger<ResetOffsetHandler> logger)
{
    public ValueTask HandleAsync(RemotingRequest request, ResetOffsetHeader header)
    {
        Topic topic = topics.Find(header.Topic)
            ?? throw new RemotingException(ResponseCode.TopicNotExist, $"Topic {header.Topic} does not exist");
        Dictionary<int, long> reset = options.UseServerSideResetOffset
            ? KeepForPulls(topic, header)
            : TellConsumers(topic, header);
        Log.OffsetsReset(logger, header.Group, header.Topic, string.Join(", ", reset), request.Connection.RemoteEndPoint);
        request.Reply(BodyCodec.Encode(new ResetOffsetBody { OffsetTable = ByQueue(header.Topic, reset) }));
        return ValueTask.CompletedTask;
    }

    private Dictionary<int, long> KeepForPulls(Topic topic, ResetOffsetHeader header)
    {
        if (groups.FindExisting(header.Group) is null)
        {
            throw new RemotingException(ResponseCode.SubscriptionGroupNotExist, $"Group {header.Group} does not exist");
        }

        var reset = new Dictionary<int, long>();
        if (header.QueueId < 0)
        {
            for (int queueId = 0; queueId < topic.Config.ReadQueueNums; queueId++)
            {
                reset[queueId] = OffsetAt(topic.Name, queueId, header.TimestampMs);
            }
        }
        else
        {
            reset[header.QueueId] = header.Offset is long offset and not -1
                ? WithinQueue(topic.Name, header.QueueId, offset)
                : OffsetAt(topic.Name, header.QueueId, header.TimestampMs);
        }

        if (reset.Count == 0)
        {
            throw new RemotingException(ResponseCode.SystemError, "No queues to reset.");
        }

        offsets.Reset(header.Group, topic.Name, reset);
        return reset;
    }

    private Dictionary<int, long> TellConsumers(Topic topic, ResetOffsetHeader header)
    {
        ConsumerGroup group = consumers.FindOnline(header.Group)
            ?? throw new RemotingException(
                ResponseCode.ConsumerNotOnline,
                $"Consumer not online, so can not reset offset, Group: {header.Group} Topic: {topic.Name} Timestamp: {header.TimestampMs}");
        var reset = new Dictionary<int, long>();
        for (int queueId = 0; queueId < topic.Config.WriteQueueNums; queueId++)
        {
            long current = offsets.Find(header.Group, topic.Name, queueId);
            if (current == ConsumerOffsetTable.None)
            {
                throw new RemotingException(ResponseCode.SystemError, $"The consumer group <{header.Group}> not exist");
            }

            long wanted = OffsetAt(topic.Name, queueId, header.TimestampMs);
            reset[queueId] = header.IsForce ? wanted : Math.Min(wanted, current);
        }

        var told = new ResetOffsetHeader { Topic = topic.Name, Group = header.Group, TimestampMs = header.TimestampMs };
        Dictionary<MessageQueue, long> byQueue = ByQueue(topic.Name, reset);
        byte[] body = BodyCodec.Encode(new ResetOffsetBody { OffsetTable = byQueue });
        byte[] bodyForC = BodyCodec.Encode(new ResetOffsetBodyForC
        {
            OffsetTable =
            [
                .. byQueue.Select(pair => new MessageQueueForC
                {
                    Topic = pair.Key.Topic, BrokerName = pair.Key.BrokerName, QueueId = pair.Key.QueueId, Offset = pair.Value,
                }),
            ],
        });
        foreach (ConsumerClient client in group.Clients)
        {
            client.Connection.SendOneWay(
                RequestCode.ResetConsumerClientOffset, in told, client.Language == LanguageCode.Cpp ? bodyForC : body);
        }

        return reset;
    }

    private long WithinQueue(string topic, int queueId, long offset)
    {
        LogicQueue? queue = store.FindQueue(topic, queueId);
        (long min, long max) = (queue?.MinOffset ?? 0, queue?.MaxOffset ?? 0);
        return offset >= min && offset <= max + 1
            ? offset
            : throw new RemotingException(
                ResponseCode.SystemError, $"Target offset {offset} not in consume queue range [{min}-{max}]");
    }

    private long OffsetAt(string topic, int queueId, long timestampMs) =>
        store.FindQueue(topic, queueId) is not { } queue ? 0
        : timestampMs < 0 ? queue.MaxOffset
        : Math.Max(0, store.OffsetByTime(queue, timestampMs, BoundaryType.Lower));

    private Dictionary<MessageQueue, long> ByQueue(string topic, Dictionary<int, long> byQueueId) =>
        byQueueId.ToDictionary(pair => new MessageQueue(topic, brokerName, pair.Key), pair => pair.Value);
}
