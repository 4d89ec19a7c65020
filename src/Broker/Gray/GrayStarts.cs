using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// Where a group begins in queues that it has never consumed: decided once for all of them, by what its clients would have chosen now, so
/// that a side that comes later does not skip what another has not read.
/// </summary>
internal sealed class GrayStarts(ConsumerTable consumers, ConsumerOffsetTable offsets, MessageStore store, TimeProvider time)
{
    // What stock clients go back when they are told to begin at a time and not at which (RocketMQ: consumeTimestamp).
    private static readonly TimeSpan DefaultTimeBack = TimeSpan.FromMinutes(30);

    /// <summary>Commits an offset of the group where it has none.</summary>
    public void Fix(string group, Topic topic, int queueId)
    {
        if (offsets.Find(group, topic.Name, queueId) == ConsumerOffsetTable.None)
        {
            offsets.Commit(group, topic.Name, queueId, StartOf(group, topic, queueId));
        }
    }

    private long StartOf(string group, Topic topic, int queueId)
    {
        if (store.FindQueue(topic.NameUtf8.Span, queueId) is not { } queue || topic.IsRetry)
        {
            return 0;
        }

        // As QUERY_CONSUMER_OFFSET answers to a group that never was here.
        if (queue.MinOffset <= 0 && store.IsInMemory(queue, 0))
        {
            return 0;
        }

        return consumers.Find(group)?.ConsumeFromWhere switch
        {
            ConsumeFromWhere.FirstOffset or ConsumeFromWhere.MinOffset => queue.MinOffset,
            ConsumeFromWhere.Timestamp => AtTime(queue),
            _ => store.NextQueueOffset(queue),
        };
    }

    private long AtTime(LogicQueue queue) => store.OffsetByTime(
        queue, (time.GetUtcNow() - DefaultTimeBack).ToUnixTimeMilliseconds(), BoundaryType.Lower);
}
