using System.Text;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Popping;

/// <summary>What has to be so before a group may pop a topic: the same for every request, with RocketMQ's codes and remarks.</summary>
internal sealed class PopAccess(PopOptions options, TopicTable topics, SubscriptionGroupTable groups, PopTargets targets)
{
    /// <summary>The target of a request, when the group may read the queue.</summary>
    /// <param name="verb">What the remark says is forbidden.</param>
    /// <exception cref="RemotingException">It may not, or one of them is not there.</exception>
    public PopTarget Find(
        ReadOnlyMemory<byte> group, ReadOnlyMemory<byte> topic, int queueId, in RemotingRequest request, string verb)
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
            throw new RemotingException(ResponseCode.InvalidParameter, IllegalQueue(found, queueId, in request));
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
    public Topic FindTopic(ReadOnlyMemory<byte> name, int queueId, in RemotingRequest request)
    {
        Topic topic = FindTopic(name);
        return (uint)queueId < (uint)topic.Config.ReadQueueNums
            ? topic
            : throw new RemotingException(ResponseCode.MessageIllegal, IllegalQueue(topic, queueId, in request));
    }

    /// <summary>The topic of that name; null when there is none.</summary>
    public Topic? FindTopic(ReadOnlySpan<byte> utf8Name) => topics.Find(utf8Name);

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

    private static string IllegalQueue(Topic topic, int queueId, in RemotingRequest request) =>
        $"queueId[{queueId}] is illegal, topic:[{topic.Name}] topicConfig.readQueueNums:[{topic.Config.ReadQueueNums}] "
        + $"consumer:[{request.Connection.RemoteEndPoint}]";

    private static RemotingException NoTopic(string name) =>
        new(ResponseCode.TopicNotExist, $"topic[{name}] not exist, apply first please!");

    private Topic FindTopic(ReadOnlyMemory<byte> name) => topics.Find(name.Span) ?? throw NoTopic(Encoding.UTF8.GetString(name.Span));
}
