using System.Net;
using System.Text;
using GrayMQ.Broker.Configuration;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Sending;

/// <summary>
/// Where what producers send is to go, and whether it may go there: topics, permissions, queues (RocketMQ:
/// AbstractSendMessageProcessor.msgCheck).
/// </summary>
internal sealed class SendTargets(TopicTable topics, LiveSetting<int> brokerPermission)
{
    /// <summary>The topic that a producer names, made where that is allowed.</summary>
    /// <exception cref="RemotingException">There is none, or it may not be sent to.</exception>
    public Topic FindTopic(in SendMessageHeader header, in RemotingRequest request)
    {
        Topic? topic = topics.Find(header.Topic.Span) ?? Create(in header, request.Connection.RemoteEndPoint);
        if (topic.IsForbiddenToSend)
        {
            throw ForbiddenTopic(topic.Name);
        }

        if (!TopicPermission.IsWritable(brokerPermission.Value & topic.Config.Perm))
        {
            throw new RemotingException(ResponseCode.NoPermission, $"the topic[{topic.Name}] sending message is forbidden");
        }

        return topic;
    }

    private Topic Create(in SendMessageHeader header, IPEndPoint? producer)
    {
        string name = Encoding.UTF8.GetString(header.Topic.Span);
        if (TopicNames.Problem(name) is { } problem)
        {
            throw new RemotingException(ResponseCode.InvalidParameter, problem);
        }

        if (SystemTopics.IsForbiddenToSend(name))
        {
            throw ForbiddenTopic(name);
        }

        string template = Encoding.UTF8.GetString(header.DefaultTopic.Span);
        if (topics.CreateOnSend(name, template, header.DefaultTopicQueueNums, header.UnitMode, producer) is { } created)
        {
            return created;
        }

        // A consumer's retries must not depend on whether topics are created for producers.
        return name.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal)
            ? topics.CreateOnSendBack(name, queueNums: 1, topicSysFlag: header.UnitMode ? TopicSysFlags.UnitSubscription : 0)
            : throw new RemotingException(ResponseCode.TopicNotExist, $"topic[{name}] not exist, apply first please!");
    }

    private static RemotingException ForbiddenTopic(string name) =>
        new(ResponseCode.NoPermission, $"Sending message to topic[{name}] is forbidden.");

    /// <summary>The queue that a producer names, or any where it names none.</summary>
    /// <exception cref="RemotingException">The topic does not have it.</exception>
    public static int ChooseQueue(Topic topic, in SendMessageHeader header, in RemotingRequest request)
    {
        TopicConfig config = topic.Config;
        int queueCount = Math.Max(config.WriteQueueNums, config.ReadQueueNums);
        if (header.QueueId >= queueCount)
        {
            throw new RemotingException(
                ResponseCode.InvalidParameter,
                $"request queueId[{header.QueueId}] is illegal, topic[{topic.Name}] has {queueCount} queues. "
                + $"Producer: {request.Connection.RemoteEndPoint}");
        }

        return header.QueueId >= 0 ? header.QueueId : Random.Shared.Next(Math.Max(1, config.WriteQueueNums));
    }
}
