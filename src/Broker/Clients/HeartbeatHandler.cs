using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Clients;

/// <summary>
/// Clients come, say every 30 s that they are still there, and go: HEART_BEAT (34), UNREGISTER_CLIENT (35). To be answered on
/// the connection's read loop, since it binds a <see cref="ClientSession"/> to the connection. RocketMQ:
/// ClientManageProcessor.
/// </summary>
internal sealed class HeartbeatHandler(
    ConsumerTable consumers,
    ProducerTable producers,
    SubscriptionGroupTable groups,
    TopicTable topics,
    BrokerLifecycle lifecycle,
    ClientLimits limits)
{
    public ValueTask HeartbeatAsync(RemotingRequest request, NoHeader header)
    {
        HeartbeatData heartbeat = Read(request);
        bool resendWanted = Hear(request.Connection, heartbeat, request.Language, request.Version);
        request.Reply(new HeartbeatResponseHeader
        {
            SupportsV2 = true,
            SubscriptionsChanged = heartbeat.HeartbeatFingerprint == 0 || resendWanted,
            Leaving = lifecycle.IsLeaving,
        });
        return ValueTask.CompletedTask;
    }

    /// <summary>Takes in what a client says of itself, by whichever protocol.</summary>
    /// <returns>Whether the client is to send its subscriptions again: see <see cref="JoinOutcome"/>.</returns>
    /// <exception cref="RemotingException">The heartbeat goes beyond a limit.</exception>
    public bool Hear(RemotingPeer client, HeartbeatData heartbeat, LanguageCode language, short version)
    {
        Check(heartbeat);
        ClientSession session = ClientSession.Heard(client, heartbeat.ClientId, language, version);
        bool resendWanted = false;
        foreach (ConsumerData consumer in heartbeat.ConsumerDataSet)
        {
            // A group that does not exist and may not be created is passed over, as in RocketMQ.
            if (groups.Find(consumer.GroupName) is { } group)
            {
                CreateRetryTopic(group, consumer, heartbeat.WithoutSub);
                resendWanted |= consumers.Join(session, ToJoin(heartbeat, consumer)).ResendWanted;
            }
        }

        foreach (ProducerData producer in heartbeat.ProducerDataSet)
        {
            producers.Join(session, producer.GroupName, producer.GrayFlag);
        }

        return resendWanted;
    }

    public ValueTask UnregisterAsync(RemotingRequest request, UnregisterClientHeader header)
    {
        if (ClientSession.Of(request.Connection) is { } session)
        {
            if (header.ProducerGroup is not null)
            {
                producers.Leave(session, header.ProducerGroup);
            }

            if (header.ConsumerGroup is not null)
            {
                consumers.Leave(session, header.ConsumerGroup);
            }
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    /// <summary>A connection has ended.</summary>
    public void ConnectionClosed(RemotingPeer connection)
    {
        if (ClientSession.Of(connection) is { } session)
        {
            consumers.LeaveAll(session);
            producers.LeaveAll(session);
        }
    }

    private HeartbeatData Read(in RemotingRequest request)
    {
        if (request.Body.Length > limits.MaxHeartbeatBytes)
        {
            throw Refused($"has {request.Body.Length} bytes: {limits.MaxHeartbeatBytes} are the limit");
        }

        return BodyCodec.Decode<HeartbeatData>(request.Body);
    }

    /// <exception cref="RemotingException">The heartbeat goes beyond a limit.</exception>
    public void Check(HeartbeatData heartbeat)
    {
        if (heartbeat.ClientId.Length == 0 || heartbeat.ClientId.Length > limits.MaxClientIdLength
            || heartbeat.ClientId.AsSpan().ContainsAnyInRange('\0', '\x1f'))
        {
            throw Refused($"has no client id of 1 to {limits.MaxClientIdLength} printable characters");
        }

        if (heartbeat.ConsumerDataSet.Exists(each => each is null || each.SubscriptionDataSet.Contains(null!))
            || heartbeat.ProducerDataSet.Contains(null!))
        {
            throw Refused("has a null where a group or a subscription is expected");
        }

        CheckGroups(heartbeat.ConsumerDataSet.Select(consumer => consumer.GroupName));
        CheckGroups(heartbeat.ProducerDataSet.Select(producer => producer.GroupName));
        foreach (ConsumerData consumer in heartbeat.ConsumerDataSet)
        {
            if (consumer.SubscriptionDataSet.Count > limits.MaxSubscriptionsPerGroup)
            {
                throw Refused(
                    $"has {consumer.SubscriptionDataSet.Count} subscriptions of group {consumer.GroupName}: "
                    + $"{limits.MaxSubscriptionsPerGroup} are the limit");
            }

            if (consumer.SubscriptionDataSet.Find(each => each.Topic.Length is 0 || each.Topic.Length > limits.MaxTopicLength) is { } odd)
            {
                throw Refused(
                    $"has a subscription of group {consumer.GroupName} to a topic whose name has {odd.Topic.Length} characters: "
                    + $"expected 1 to {limits.MaxTopicLength}");
            }
        }
    }

    private void CheckGroups(IEnumerable<string> groups)
    {
        foreach (string group in groups)
        {
            if (group.Length is 0 || group.Length > limits.MaxGroupLength)
            {
                throw Refused($"has a group whose name has {group.Length} characters: expected 1 to {limits.MaxGroupLength}");
            }
        }
    }

    private void CreateRetryTopic(SubscriptionGroupConfig group, ConsumerData consumer, bool leftOut)
    {
        string name = TopicNames.RetryOf(group.GroupName);
        if (leftOut && topics.Find(name) is not null)
        {
            // The topics are not named: they tell nothing of the order.
            return;
        }

        topics.CreateOnSendBack(
            name,
            group.RetryQueueNums,
            TopicPermission.ReadWrite,
            consumer.SubscriptionDataSet.Exists(each => topics.Find(each.Topic)?.Config.Order == true),
            consumer.UnitMode ? TopicSysFlags.UnitSubscription : 0);
    }

    private static ConsumerJoin ToJoin(HeartbeatData heartbeat, ConsumerData consumer)
    {
        var traits = new ConsumerTraits(
            consumer.ConsumeType, consumer.MessageModel, consumer.ConsumeFromWhere, consumer.UnitMode);
        bool leftOut = heartbeat.WithoutSub && heartbeat.HeartbeatFingerprint != 0;
        SubscriptionSet? subscriptions = leftOut ? null : SubscriptionSet.Of(consumer.SubscriptionDataSet);
        return new ConsumerJoin(
            consumer.GroupName, heartbeat.ClientId, traits, subscriptions, heartbeat.HeartbeatFingerprint, consumer.GrayFlag);
    }

    private static RemotingException Refused(string reason) => new(ResponseCode.SystemError, $"the heartbeat {reason}");
}
