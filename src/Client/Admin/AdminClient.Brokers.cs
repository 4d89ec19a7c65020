using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Client.Admin;

/// <content>Topics, groups and offsets of one broker.</content>
public sealed partial class AdminClient
{
    /// <summary>A broker's figures by name: version, puts per second, disk shares and so on (RocketMQ: brokerStatus).</summary>
    public async Task<IReadOnlyDictionary<string, string>> GetRuntimeInfoAsync(string address, CancellationToken cancel = default) =>
        (await CallAsync<NoHeader, KVTable>(address, RequestCode.GetBrokerRuntimeInfo, default, cancel).ConfigureAwait(false)).Table;

    /// <summary>All topics of a broker, by name.</summary>
    public async Task<IReadOnlyDictionary<string, TopicConfig>> GetTopicsAsync(string address, CancellationToken cancel = default) =>
        (await CallAsync<NoHeader, TopicConfigSerializeWrapper>(address, RequestCode.GetAllTopicConfig, default, cancel)
            .ConfigureAwait(false)).TopicConfigTable;

    /// <summary>Creates a topic at a broker, or changes it.</summary>
    public async Task SaveTopicAsync(string address, TopicConfig topic, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(topic);
        var header = new CreateTopicHeader
        {
            Topic = topic.TopicName,
            DefaultTopic = Protocol.Names.TopicNames.AutoCreateTemplate,
            ReadQueueNums = topic.ReadQueueNums,
            WriteQueueNums = topic.WriteQueueNums,
            Permission = topic.Perm,
            TopicFilterType = topic.TopicFilterType == TopicFilterType.MultiTag ? "MULTI_TAG" : "SINGLE_TAG",
            TopicSysFlag = topic.TopicSysFlag,
            Order = topic.Order,
            Attributes = topic.Attributes.Count == 0
                ? null
                : string.Join(',', topic.Attributes.Select(attribute => $"+{attribute.Key}={attribute.Value}")),
        };
        await CallAsync(address, RequestCode.UpdateAndCreateTopic, header, cancel).ConfigureAwait(false);
    }

    /// <summary>Deletes a topic at a broker, with its messages.</summary>
    public async Task DeleteTopicAsync(string address, string topic, CancellationToken cancel = default) =>
        await CallAsync(address, RequestCode.DeleteTopicInBroker, new TopicHeader(topic), cancel).ConfigureAwait(false);

    /// <summary>First and last offset of a topic's queues at a broker.</summary>
    public async Task<IReadOnlyDictionary<MessageQueue, TopicOffset>> GetTopicOffsetsAsync(
        string address, string topic, CancellationToken cancel = default) =>
        (await CallAsync<TopicHeader, TopicStatsTable>(address, RequestCode.GetTopicStatsInfo, new TopicHeader(topic), cancel)
            .ConfigureAwait(false)).OffsetTable;

    /// <summary>All consumer groups of a broker, by name.</summary>
    public async Task<IReadOnlyDictionary<string, SubscriptionGroupConfig>> GetGroupsAsync(
        string address, CancellationToken cancel = default) =>
        (await CallAsync<NoHeader, SubscriptionGroupWrapper>(address, RequestCode.GetAllSubscriptionGroupConfig, default, cancel)
            .ConfigureAwait(false)).SubscriptionGroupTable;

    /// <summary>Creates a consumer group at a broker, or changes it.</summary>
    public async Task SaveGroupAsync(string address, SubscriptionGroupConfig group, CancellationToken cancel = default) =>
        await CallAsync(
            address, RequestCode.UpdateAndCreateSubscriptionGroup, default(NoHeader), BodyCodec.Encode(group), cancel).ConfigureAwait(false);

    /// <summary>Deletes a consumer group at a broker.</summary>
    /// <param name="removeOffsets">Whether the broker forgets how far the group has come.</param>
    public async Task DeleteGroupAsync(
        string address, string group, bool removeOffsets, CancellationToken cancel = default) =>
        await CallAsync(
            address, RequestCode.DeleteSubscriptionGroup, new DeleteSubscriptionGroupHeader(group, removeOffsets), cancel)
            .ConfigureAwait(false);

    /// <summary>The consumers of a group that are connected to a broker; null when there are none.</summary>
    public async Task<ConsumerConnection?> FindConsumersAsync(string address, string group, CancellationToken cancel = default)
    {
        try
        {
            return await CallAsync<GetConsumerListByGroupHeader, ConsumerConnection>(
                address, RequestCode.GetConsumerConnectionList, new GetConsumerListByGroupHeader { ConsumerGroup = group }, cancel).ConfigureAwait(false);
        }
        catch (BrokerException e) when (e.Code == ResponseCode.ConsumerNotOnline)
        {
            return null;
        }
    }

    /// <summary>How far a group has come at a broker, by queue.</summary>
    /// <param name="topic">Null for all topics that the group consumes.</param>
    public async Task<IReadOnlyDictionary<MessageQueue, OffsetWrapper>> GetConsumerOffsetsAsync(
        string address, string group, string? topic = null, CancellationToken cancel = default) =>
        (await CallAsync<GetConsumeStatsHeader, ConsumeStats>(
            address,
            RequestCode.GetConsumeStats,
            new GetConsumeStatsHeader { ConsumerGroup = group, Topic = topic },
            cancel).ConfigureAwait(false)).OffsetTable;

    /// <summary>
    /// Has a group go on elsewhere in one queue, or in all of a topic's queues at a broker; its consumers are told.
    /// </summary>
    /// <returns>Where it goes on, by queue, as far as the broker tells.</returns>
    public async Task<IReadOnlyDictionary<MessageQueue, long>> ResetOffsetAsync(
        string address, ResetOffsetHeader reset, CancellationToken cancel = default)
    {
        RemotingCommand answer = await CallAsync(address, RequestCode.InvokeBrokerToResetOffset, reset, cancel).ConfigureAwait(false);
        return answer.Body.IsEmpty ? new Dictionary<MessageQueue, long>() : Decode<ResetOffsetBody>(answer).OffsetTable;
    }
}
