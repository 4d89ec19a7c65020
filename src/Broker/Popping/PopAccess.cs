using System.Net;
using System.Text;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Pops;

namespace GrayMQ.Broker.Popping;

/// <summary>What has to be so before a group may pop a topic: the same for every request, with RocketMQ's codes and remarks.</summary>
internal sealed class PopAccess(PopOptions options, TopicTable topics, SubscriptionGroupTable groups, PopTargets targets)
{
    /// <summary>The target of a request, when the group may read the queue.</summary>
    /// <param name="verb">What the remark says is forbidden.</param>
    /// <exception cref="RemotingException">It may not, or one of them is not there.</exception>
    public PopTarget Find(
        ReadOnlyMemory<byte> group, ReadOnlyMemory<byte> topic, int queueId, EndPoint? consumer, string verb)
    {
        if (!TopicPermission.IsReadable(options.BrokerPermission.Value))
        {
            throw new RemotingException(ResponseCode.NoPermission, $"the broker[{options.BrokerAddress}] {verb} is forbidden");
        }

        Topic found = FindTopic(topic);
        if (!TopicPermission.IsReadable(found.Config.Perm))
        {
            throw new RemotingException(ResponseCode.NoPermission, $"the topic[{found.Name}] peeking message is forbidden");
        }

        if (queueId >= found.Config.ReadQueueNums)
        {
            throw new RemotingException(ResponseCode.InvalidParameter, IllegalQueue(found, queueId, consumer));
        }

        return targets.Get(FindGroup(groups.Find(group.Span), group).GroupName, group.Span, found);
    }

    /// <summary>Whether what was so when a pop was parked is so still; what to tell it if not.</summary>
    public RemotingException? Problem(PopTarget target)
    {
        if (!ReferenceEquals(topics.Find(target.Topic.NameUtf8.Span), target.Topic))
        {
            return NoTopic(target.Topic.Name);
        }

        try
        {
            FindGroup(groups.FindExisting(target.GroupUtf8.Span), target.GroupUtf8);
            return null;
        }
        catch (RemotingException e)
        {
            return e;
        }
    }

    /// <summary>The topic that a handle is of.</summary>
    /// <exception cref="RemotingException">It is not there, or has no such queue (MESSAGE_ILLEGAL).</exception>
    public Topic FindTopic(ReadOnlyMemory<byte> name, int queueId, EndPoint? consumer)
    {
        Topic topic = FindTopic(name);
        return (uint)queueId < (uint)topic.Config.ReadQueueNums
            ? topic
            : throw new RemotingException(ResponseCode.MessageIllegal, IllegalQueue(topic, queueId, consumer));
    }

    /// <summary>The topic of that name; null when there is none.</summary>
    public Topic? FindTopic(ReadOnlySpan<byte> utf8Name) => topics.Find(utf8Name);

    /// <exception cref="RemotingException">A pop cannot ask for so many messages (INVALID_PARAMETER).</exception>
    public void CheckCount(int maxMessages)
    {
        if (maxMessages is < 1 or > PopCheckPoint.MaxMessages)
        {
            throw new RemotingException(
                ResponseCode.InvalidParameter,
                maxMessages < 1
                    ? $"the broker[{options.BrokerAddress}] pop message's num is less than 1"
                    : $"the broker[{options.BrokerAddress}] pop message's num is greater than {PopCheckPoint.MaxMessages}");
        }
    }

    /// <exception cref="RemotingException">Messages cannot be invisible for such a time (INVALID_PARAMETER).</exception>
    public void CheckInvisible(long invisibleMs, long least)
    {
        if (invisibleMs < least || invisibleMs > (long)options.MaxInvisible.TotalMilliseconds)
        {
            throw new RemotingException(
                ResponseCode.InvalidParameter,
                $"the invisible time {invisibleMs} is not one of {least} to {options.MaxInvisible.TotalMilliseconds} ms");
        }
    }

    private static SubscriptionGroupConfig FindGroup(SubscriptionGroupConfig? group, ReadOnlyMemory<byte> name)
    {
        if (group is null)
        {
            throw new RemotingException(
                ResponseCode.SubscriptionGroupNotExist, $"subscription group [{Encoding.UTF8.GetString(name.Span)}] does not exist");
        }

        return group.ConsumeEnable
            ? group
            : throw new RemotingException(ResponseCode.NoPermission, $"subscription group no permission, {group.GroupName}");
    }

    private static string IllegalQueue(Topic topic, int queueId, EndPoint? consumer) =>
        $"queueId[{queueId}] is illegal, topic:[{topic.Name}] topicConfig.readQueueNums:[{topic.Config.ReadQueueNums}] "
        + $"consumer:[{consumer}]";

    private static RemotingException NoTopic(string name) =>
        new(ResponseCode.TopicNotExist, $"topic[{name}] not exist, apply first please!");

    private Topic FindTopic(ReadOnlyMemory<byte> name) => topics.Find(name.Span) ?? throw NoTopic(Encoding.UTF8.GetString(name.Span));
}
