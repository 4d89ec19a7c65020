using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Queries;

/// <summary>
/// Says where queues begin and end and where in them a time lies: GET_MAX_OFFSET (30), GET_MIN_OFFSET (31),
/// SEARCH_OFFSET_BY_TIMESTAMP (29) and GET_EARLIEST_MSG_STORETIME (32). A queue that nothing was ever stored in begins and ends at 0.
/// </summary>
internal sealed class QueueOffsetHandler(TopicTable topics, MessageStore store)
{
    public ValueTask MaxAsync(RemotingRequest request, QueueHeader header)
    {
        request.Reply(new OffsetResponseHeader(Find(header.Topic, header.QueueId)?.MaxOffset ?? 0));
        return ValueTask.CompletedTask;
    }

    public ValueTask MinAsync(RemotingRequest request, QueueHeader header)
    {
        request.Reply(new OffsetResponseHeader(Find(header.Topic, header.QueueId)?.MinOffset ?? 0));
        return ValueTask.CompletedTask;
    }

    public ValueTask SearchAsync(RemotingRequest request, SearchOffsetHeader header)
    {
        BoundaryType boundary = string.Equals(header.BoundaryType, "UPPER", StringComparison.OrdinalIgnoreCase)
            ? BoundaryType.Upper
            : BoundaryType.Lower;
        long offset = Find(header.Topic, header.QueueId) is { } queue
            ? store.OffsetByTime(queue, header.TimestampMs, boundary)
            : 0;
        request.Reply(new OffsetResponseHeader(offset));
        return ValueTask.CompletedTask;
    }

    public ValueTask EarliestStoreTimeAsync(RemotingRequest request, QueueHeader header)
    {
        long timestamp = Find(header.Topic, header.QueueId) is { } queue ? store.StoreTimestampOf(queue, queue.MinOffset) : -1;
        request.Reply(new TimestampResponseHeader(timestamp));
        return ValueTask.CompletedTask;
    }

    private LogicQueue? Find(string name, int queueId)
    {
        Topic topic = topics.Find(name)
            ?? throw new RemotingException(ResponseCode.TopicNotExist, $"topic[{name}] not exist");
        int queues = Math.Max(topic.Config.ReadQueueNums, topic.Config.WriteQueueNums);
        return (uint)queueId < (uint)queues
            ? store.FindQueue(topic.NameUtf8.Span, queueId)
            : throw new RemotingException(
                ResponseCode.InvalidParameter, $"queueId[{queueId}] is illegal, topic[{name}] has {queues} queues");
    }
}
