using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;

namespace GrayMQ.Broker.Offsets;

/// <summary>
/// What administrators ask about consumer offsets: requests 43, 308, 314 and 343. They walk the whole table, so that they belong on
/// the thread pool.
/// </summary>
internal sealed class OffsetAdminHandler(
    string brokerAddress, TopicTable topics, ConsumerTable consumers, ConsumerOffsetTable offsets, MessageStore store)
{
    /// <summary>GET_ALL_CONSUMER_OFFSET (43).</summary>
    public ValueTask GetAllAsync(RemotingRequest request, NoHeader header)
    {
        request.Reply(BodyCodec.Encode(offsets.ToWrapper()));
        return ValueTask.CompletedTask;
    }

    /// <summary>QUERY_TOPICS_BY_CONSUMER (343): the topics of which the group has committed offsets.</summary>
    public ValueTask GetTopicsAsync(RemotingRequest request, GroupHeader header)
    {
        request.Reply(BodyCodec.Encode(new TopicList { Topics = [.. offsets.TopicsOf(header.Group)], BrokerAddr = brokerAddress }));
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// QUERY_CORRECTION_OFFSET (308): per queue the lowest offset of all groups, which is everywhere consumed up to;
    /// the greatest number where the group to compare with is behind that. Groups to be left out are left out of the
    /// reckoning only; RocketMQ forgets their offsets.
    /// </summary>
    public ValueTask CorrectAsync(RemotingRequest request, QueryCorrectionOffsetHeader header)
    {
        string[] leftOut = header.FilterGroups?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];
        var lowest = new Dictionary<int, long>();
        foreach (string group in offsets.GroupsOf(header.Topic).Except(leftOut, StringComparer.Ordinal))
        {
            foreach ((int queueId, long offset) in offsets.FindAll(group, header.Topic))
            {
                if (offset >= (store.FindQueue(header.Topic, queueId)?.MinOffset ?? 0))
                {
                    lowest[queueId] = Math.Min(offset, lowest.GetValueOrDefault(queueId, long.MaxValue));
                }
            }
        }

        foreach ((int queueId, long offset) in offsets.FindAll(header.CompareGroup, header.Topic))
        {
            if (lowest.TryGetValue(queueId, out long low) && low > offset)
            {
                lowest[queueId] = long.MaxValue;
            }
        }

        request.Reply(BodyCodec.Encode(new QueryCorrectionOffsetBody { CorrectionOffsets = lowest }));
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// CLONE_GROUP_OFFSET (314). Topics that are not here are passed over, as are those that the source's consumers, when some are
    /// online, do not subscribe to.
    /// </summary>
    public ValueTask CloneAsync(RemotingRequest request, CloneGroupOffsetHeader header)
    {
        IEnumerable<string> candidates =
            string.IsNullOrWhiteSpace(header.Topic) ? offsets.TopicsOf(header.SourceGroup) : [header.Topic];
        ConsumerGroup? source = header.Offline ? null : consumers.FindOnline(header.SourceGroup);
        foreach (string topic in candidates)
        {
            if (topics.Find(topic) is not null && (source is null || source.FindSubscription(topic) is not null))
            {
                offsets.Clone(header.SourceGroup, header.TargetGroup, topic);
            }
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }
}
