using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Assignments;

/// <summary>
/// Shares queues out for consumers that leave it to the broker, and tells them whether to pull or to pop: QUERY_ASSIGNMENT (400),
/// SET_MESSAGE_REQUEST_MODE (401), GET_ALL_MESSAGE_REQUEST_MODE (402). RocketMQ: QueryAssignmentProcessor. Asks name servers: belongs
/// on the thread pool.
/// </summary>
internal sealed class AssignmentHandler(
    AssignmentOptions options,
    TopicTable topics,
    SubscriptionGroupTable groups,
    ConsumerTable consumers,
    RequestModeTable modes,
    TopicRouteTable routes,
    GrayTable gray,
    ILogger<AssignmentHandler> logger)
{
    // UTF-16 units; a retry topic's name holds its group's. Name servers are asked for what is not known here.
    private const int MaxTopicLength = 512;

    public async ValueTask QueryAsync(RemotingRequest request, NoHeader header)
    {
        var question = BodyCodec.Decode<QueryAssignmentRequestBody>(request.Body);
        if (question.Topic.Length is 0 or > MaxTopicLength)
        {
            throw new RemotingException(
                ResponseCode.InvalidParameter, $"the topic's name has {question.Topic.Length} characters: expected 1 to {MaxTopicLength}");
        }

        SetMessageRequestModeRequestBody mode =
            modes.Find(question.ConsumerGroup, question.Topic) ?? DefaultMode(question.ConsumerGroup, question.Topic);
        IReadOnlyList<MessageQueue>? queues = await AssignAsync(question, mode, request.Connection).ConfigureAwait(false);
        var body = new QueryAssignmentResponseBody
        {
            MessageQueueAssignments = queues?.Select(queue => new MessageQueueAssignment { MessageQueue = queue, Mode = mode.Mode }).ToList(),
        };
        request.Reply(BodyCodec.Encode(body));
    }

    public ValueTask SetModeAsync(RemotingRequest request, NoHeader header)
    {
        var mode = BodyCodec.Decode<SetMessageRequestModeRequestBody>(request.Body);
        if (IsRetry(mode.Topic))
        {
            throw new RemotingException(ResponseCode.NoPermission, "retry topic is not allowed to set mode");
        }

        if (topics.Find(mode.Topic) is null)
        {
            throw new RemotingException(ResponseCode.TopicNotExist, $"topic[{mode.Topic}] not exist");
        }

        if (groups.Find(mode.ConsumerGroup) is null)
        {
            throw new RemotingException(ResponseCode.SubscriptionGroupNotExist, "subscription group does not exist");
        }

        modes.Put(mode);
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    public ValueTask GetAllModesAsync(RemotingRequest request, NoHeader header)
    {
        request.Reply(BodyCodec.Encode(modes.ToWrapper()));
        return ValueTask.CompletedTask;
    }

    // Null where nothing can be said, and the consumer is to keep what it has.
    private async ValueTask<IReadOnlyList<MessageQueue>?> AssignAsync(
        QueryAssignmentRequestBody question, SetMessageRequestModeRequestBody mode, RemotingPeer client)
    {
        IReadOnlyList<MessageQueue>? queues = await routes.FindQueuesAsync(question.Topic).ConfigureAwait(false);
        if (queues is null)
        {
            if (!IsRetry(question.Topic))
            {
                Log.NoAssignment(logger, question.ConsumerGroup, question.Topic, "the topic has no route");
            }

            return null;
        }

        if (question.MessageModel == MessageModel.Broadcasting || !options.ServerLoadBalancerEnable)
        {
            return queues;
        }

        if (consumers.FindOnline(question.ConsumerGroup) is not { } group)
        {
            Log.NoAssignment(logger, question.ConsumerGroup, question.Topic, "no consumer of the group is known");
            return null;
        }

        if (question.ClientId.Length == 0)
        {
            Log.NoAssignment(logger, question.ConsumerGroup, question.Topic, "the consumer does not say who it is");
            return null;
        }

        if (!QueueAssignment.IsRule(question.StrategyName))
        {
            Log.NoAssignment(logger, question.ConsumerGroup, question.Topic, $"unsupported strategy {question.StrategyName}");
            return null;
        }

        if (gray.FindGroup(group.Name) is not { } sides)
        {
            return Share(question, mode, queues, group.Clients);
        }

        Standing standing = sides.StandingOf(question.ClientId, client);
        if (standing == Standing.Unknown)
        {
            Log.NoAssignment(logger, question.ConsumerGroup, question.Topic, "no heartbeat has told on which side the consumer is");
            return null;
        }

        List<ConsumerClient> members = [.. sides.ClientsOf(group, standing)];
        if (gray.View?.FindQueues(question.Topic) is not { } live)
        {
            return Share(question, mode, queues, members);
        }

        // A side shares out all queues, since they change hands at each broker when that has come to its boundary, and a side that has
        // to drain one must not lose it before. Gray and normal ones apart, so that each member has as many of its own as any other.
        return
        [
            .. Share(question, mode, [.. queues.Where(queue => live.SideOf(queue.QueueId) == Side.Gray)], members)
                .Union(Share(question, mode, [.. queues.Where(queue => live.SideOf(queue.QueueId) == Side.Normal)], members)),
        ];
    }

    private static IReadOnlyList<MessageQueue> Share(
        QueryAssignmentRequestBody question,
        SetMessageRequestModeRequestBody mode,
        IReadOnlyList<MessageQueue> queues,
        IReadOnlyList<ConsumerClient> members)
    {
        // A client that came back before its old connection was given up is one consumer all the same.
        string[] clientIds =
            [.. members.Select(client => client.ClientId).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return mode.Mode == MessageRequestMode.Pop
            ? QueueAssignment.ForPop(question.StrategyName!, question.ClientId, queues, clientIds, mode.PopShareQueueNum)
            : QueueAssignment.ForPull(question.StrategyName!, question.ClientId, queues, clientIds);
    }

    private SetMessageRequestModeRequestBody DefaultMode(string group, string topic) => new()
    {
        ConsumerGroup = group,
        Topic = topic,
        // What comes back to a group of its own is pulled, also by consumers that pop.
        Mode = IsRetry(topic) ? MessageRequestMode.Pull : options.DefaultMessageRequestMode,
        PopShareQueueNum = options.DefaultPopShareQueueNum,
    };

    private static bool IsRetry(string topic) => topic.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal);
}
