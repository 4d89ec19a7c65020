using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Offsets;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;

namespace GrayMQ.Broker.Topics;

/// <summary>
/// What administrators do with topics: requests 17, 18, 21, 215, 305 and 351. All of them may wait for the disk, so that they
/// belong on the thread pool.
/// </summary>
/// <param name="findGray">The topic in the gray state that the broker acts on; null where it is not gray.</param>
internal sealed class TopicHandler(
    TopicOptions options,
    TopicTable topics,
    ConsumerOffsetTable offsets,
    MessageStore store,
    ITopicAnnouncer announcer,
    Func<string, GrayTopic?> findGray)
{
    /// <summary>UPDATE_AND_CREATE_TOPIC (17).</summary>
    public async ValueTask PutAsync(RemotingRequest request, CreateTopicHeader header)
    {
        RefuseSystemTopic(header.Topic);
        var config = new TopicConfig
        {
            TopicName = header.Topic,
            ReadQueueNums = header.ReadQueueNums,
            WriteQueueNums = header.WriteQueueNums,
            Perm = header.Permission,
            TopicFilterType = FilterType(header.TopicFilterType),
            TopicSysFlag = header.TopicSysFlag ?? 0,
            Order = header.Order,
            Attributes = AttributeSet.ParseModifications(header.Attributes),
        };
        RefuseOtherQueues(config);
        await announcer.AnnounceAsync(() => topics.Put(config)).ConfigureAwait(false);
        request.Reply(ResponseCode.Success);
    }

    /// <summary>UPDATE_AND_CREATE_TOPIC_LIST (18): all or none.</summary>
    public async ValueTask PutListAsync(RemotingRequest request, NoHeader header)
    {
        List<TopicConfig> configs = BodyCodec.Decode<CreateTopicListRequestBody>(request.Body).TopicConfigList;
        configs.ForEach(config => RefuseSystemTopic(config.TopicName));
        configs.ForEach(RefuseOtherQueues);
        await announcer.AnnounceAsync(() => topics.Put(configs)).ConfigureAwait(false);
        request.Reply(ResponseCode.Success);
    }

    /// <summary>
    /// DELETE_TOPIC_IN_BROKER (215): the topic, its queues and its groups' offsets. A topic that is not there is no error, so
    /// that what failed half-way can be done again.
    /// </summary>
    public ValueTask DeleteAsync(RemotingRequest request, TopicHeader header)
    {
        if (string.IsNullOrWhiteSpace(header.Topic))
        {
            throw new RemotingException(ResponseCode.InvalidParameter, "the specified topic is blank");
        }

        RefuseSystemTopic(header.Topic);
        if (options.ClearRetryTopicWhenDeleteTopic)
        {
            foreach (string retryTopic in offsets.GroupsOf(header.Topic).SelectMany(group => PopRetryTopics(header.Topic, group)))
            {
                if (topics.Find(retryTopic) is not null)
                {
                    Delete(retryTopic);
                }
            }
        }

        Delete(header.Topic);
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    /// <summary>GET_ALL_TOPIC_CONFIG (21).</summary>
    public ValueTask GetAllAsync(RemotingRequest request, NoHeader header)
    {
        TopicConfigSerializeWrapper table = topics.ToWrapper();
        request.Reply(BodyCodec.Encode(new TopicConfigAndMappingSerializeWrapper
        {
            DataVersion = table.DataVersion,
            TopicConfigTable = table.TopicConfigTable,
        }));
        return ValueTask.CompletedTask;
    }

    /// <summary>GET_TOPIC_CONFIG (351).</summary>
    public ValueTask GetAsync(RemotingRequest request, TopicHeader header)
    {
        Topic topic = topics.Find(header.Topic)
            ?? throw new RemotingException(ResponseCode.TopicNotExist, $"No topic in this broker. topic: {header.Topic}");
        request.Reply(BodyCodec.Encode(topic.Config));
        return ValueTask.CompletedTask;
    }

    /// <summary>GET_SYSTEM_TOPIC_LIST_FROM_BROKER (305): the names that are reserved.</summary>
    public ValueTask GetSystemTopicsAsync(RemotingRequest request, NoHeader header)
    {
        request.Reply(BodyCodec.Encode(new TopicList { Topics = [.. topics.SystemTopics.Names] }));
        return ValueTask.CompletedTask;
    }

    private static string[] PopRetryTopics(string topic, string group) =>
        [TopicNames.PopRetryOf(topic, group), TopicNames.PopRetryOf(topic, group, secondForm: true)];

    private static TopicFilterType FilterType(string name) => name switch
    {
        "SINGLE_TAG" => TopicFilterType.SingleTag,
        "MULTI_TAG" => TopicFilterType.MultiTag,
        _ => throw new RemotingException(ResponseCode.InvalidParameter, $"topicFilterType = [{name}] value invalid"),
    };

    // First the configuration, so that nobody sends any more; what was sent meanwhile goes with the queues.
    private void Delete(string topic)
    {
        topics.Delete(topic);
        offsets.RemoveTopic(topic);
        store.DeleteTopic(topic);
    }

    // Which queues of a gray topic are gray, and where its messages are moved, follows from their number.
    private void RefuseOtherQueues(TopicConfig config)
    {
        if (findGray(config.TopicName) is { } gray && (config.ReadQueueNums != gray.Queues || config.WriteQueueNums != gray.Queues))
        {
            throw new RemotingException(
                ResponseCode.InvalidParameter,
                $"topic {gray.Name} is gray with {gray.Size} of {gray.Queues} queues: it cannot have {config.ReadQueueNums} to read and "
                + $"{config.WriteQueueNums} to write before it is switched off");
        }
    }

    private void RefuseSystemTopic(string topic)
    {
        if (options.ValidateSystemTopicWhenUpdateTopic && topics.SystemTopics.Contains(topic))
        {
            throw new RemotingException(ResponseCode.InvalidParameter, $"The topic[{topic}] is conflict with system topic.");
        }
    }
}
