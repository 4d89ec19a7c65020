using System.Text;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Locks;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Retries;

/// <summary>
/// Ordinary sends to a retry topic: how a consumer gives a message back when it consumes in order, or when sending it back by
/// request 36 failed (RocketMQ: SendMessageProcessor.handleRetryAndDLQ).
/// </summary>
internal sealed class RetrySends(SubscriptionGroupTable groups, QueueLockTable locks, RetryTopics topics, GrayTable gray)
{
    // The first version whose clients say how often they want to try (RocketMQ: MQVersion.V3_4_9).
    private const short LimitFromClientsVersion = 121;

    /// <summary>
    /// A send to a retry topic as it is to be stored, and where: among the dead letters when it was tried often enough, or when its group
    /// consumes in order, for then its consumer has tried by itself; else where it is sent to, and if its group has a gray release, so that it comes
    /// back to the side that failed it.
    /// </summary>
    /// <param name="topic">The retry topic; the one that the message belongs to.</param>
    /// <param name="queueId">A queue of that.</param>
    /// <exception cref="RemotingException">There is no such group.</exception>
    public SendMessageHeader Place(in SendMessageHeader header, ref Topic topic, ref int queueId, in RemotingRequest request)
    {
        string name = GroupOf(topic, header.Properties.Span);
        SubscriptionGroupConfig group = groups.Find(name)
            ?? throw new RemotingException(ResponseCode.SubscriptionGroupNotExist, NoSuchGroup(name));
        if (header.ReconsumeTimes <= MaxReconsumeTimes(group, header.MaxReconsumeTimes, request.Version) && !locks.IsAnyHeldByASideOf(name))
        {
            return gray.FindGroup(name) is { } sides ? TellSide(in header, sides, in request) : header;
        }

        topic = topics.DeadLetters(name);
        queueId = 0;
        return header with { Properties = DeadLetterProperties(header.Properties.Span) };
    }

    /// <summary>How often a message is tried again: what the client says counts, where it can say so, before the group's setting.</summary>
    public static int MaxReconsumeTimes(SubscriptionGroupConfig group, int? ofClient, short clientVersion) =>
        clientVersion >= LimitFromClientsVersion && ofClient is { } times ? times : group.RetryMaxTimes;

    public static string NoSuchGroup(string name) => $"subscription group not exist, {name}";

    private static SendMessageHeader TellSide(in SendMessageHeader header, GrayGroup sides, in RemotingRequest request)
    {
        var properties = new MessagePropertiesEditor(header.Properties.Span);
        try
        {
            GrayView.SetFailedBy(ref properties, sides.FailingSideOf(request.Connection) ?? Side.Normal);
            return header with { Properties = properties.Bytes.ToArray() };
        }
        finally
        {
            properties.Dispose();
        }
    }

    // It is not to be delayed.
    private static byte[] DeadLetterProperties(ReadOnlySpan<byte> sent)
    {
        using var properties = new MessagePropertiesEditor(sent);
        properties.Set(MessagePropertyUtf8.DelayTimeLevel, -1);
        return properties.Bytes.ToArray();
    }

    // The first form of a pop's retry topic, group_topic, does not tell where the group's name ends. A message does that names the topic
    // that it was sent to, unless there is a group of the whole name.
    private string GroupOf(Topic retryTopic, ReadOnlySpan<byte> properties)
    {
        string name = RetryTopics.GroupOf(retryTopic);
        if (groups.FindExisting(name) is null
            && MessagePropertiesCodec.TryFind(properties, MessagePropertyUtf8.RetryTopic, out ReadOnlySpan<byte> origin))
        {
            string tail = "_" + Encoding.UTF8.GetString(origin);
            if (name.Length > tail.Length
                && name.EndsWith(tail, StringComparison.Ordinal)
                && groups.FindExisting(name[..^tail.Length]) is { } group)
            {
                return group.GroupName;
            }
        }

        return name;
    }
}
