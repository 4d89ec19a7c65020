using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Broker.Retries;

/// <summary>
/// The topics of what a group could not consume: <c>%RETRY%group</c>, to which its consumers subscribe by themselves, and
/// <c>%DLQ%group</c>, which people look at. They come to be with the first message that needs them
/// (RocketMQ: createTopicInSendMessageBackMethod).
/// </summary>
internal sealed class RetryTopics(TopicTable topics, GrayTable gray)
{
    /// <summary>RocketMQ: DLQ_NUMS_PER_GROUP.</summary>
    public const int DeadLetterQueueNums = 1;

    // Stands between group and topic in the second form of a pop's retry topic (RocketMQ: KeyBuilder).
    private const char SecondFormSeparator = '+';

    /// <summary>The group's retry topic, with as many queues as the group had when it was made.</summary>
    public Topic Retry(SubscriptionGroupConfig group, bool unitMode) =>
        topics.CreateOnSendBack(
            TopicNames.RetryOf(group.GroupName),
            Math.Max(group.RetryQueueNums, LeastQueues(group.GroupName)),
            topicSysFlag: unitMode ? TopicSysFlags.UnitSubscription : 0);

    /// <summary>The retry topic of one topic under pop, which has one queue as RocketMQ's has.</summary>
    public Topic PopRetry(string topic, string group, bool secondForm) =>
        topics.CreateOnSendBack(TopicNames.PopRetryOf(topic, group, secondForm), LeastQueues(group));

    /// <summary>The group's dead-letter topic: readable and writable, so that it can be consumed and sent again.</summary>
    public Topic DeadLetters(string group) => topics.CreateOnSendBack(TopicNames.DeadLetterOf(group), DeadLetterQueueNums);

    // While the group has a gray release, what each side failed comes back to that side.
    private int LeastQueues(string group) => gray.FindGroup(group) is null ? 1 : GrayPlan.RetryQueues;

    /// <summary>The group that a retry topic belongs to (RocketMQ: KeyBuilder.parseGroup).</summary>
    public static string GroupOf(Topic retryTopic)
    {
        ReadOnlySpan<char> rest = retryTopic.Name.AsSpan(TopicNames.RetryPrefix.Length);
        int separator = rest.IndexOf(SecondFormSeparator);
        return (separator > 0 ? rest[..separator] : rest).ToString();
    }
}
