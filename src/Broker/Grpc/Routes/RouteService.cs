using GrayMQ.Broker.Assignments;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Routes;

/// <summary>Tells clients where a topic's queues are, and by which of them a consumer receives (RocketMQ: RouteActivity).</summary>
internal sealed class RouteService(TopicRouteTable routes, BrokerEndpoints endpoints, TopicTable topics, SubscriptionGroupTable groups)
{
    // Stands for all queues of a broker.
    private const int AnyQueue = -1;

    public async ValueTask<V2.QueryRouteResponse> QueryRouteAsync(Caller caller, V2.QueryRouteRequest request)
    {
        string topic = ResourceNames.TopicOf(request.Topic, caller);
        TopicRouteData route = await FindAsync(topic).ConfigureAwait(false);
        IReadOnlyList<V2.MessageType> types = TypesOf(topics.Find(topic)?.MessageType ?? TopicMessageType.Any);
        var response = new V2.QueryRouteResponse { Status = Statuses.Ok };
        foreach (QueueData queues in route.QueueDatas)
        {
            if (route.BrokerDatas.Find(data => data.BrokerName == queues.BrokerName) is { } data
                && endpoints.Of(data) is { } broker)
            {
                response.MessageQueues.AddRange(QueuesOf(request.Topic, broker, queues, types));
            }
        }

        return response;
    }

    public async ValueTask<V2.QueryAssignmentResponse> QueryAssignmentAsync(Caller caller, V2.QueryAssignmentRequest request)
    {
        string topic = ResourceNames.TopicOf(request.Topic, caller);
        string group = ResourceNames.GroupOf(request.Group, caller);
        TopicRouteData route = await FindAsync(topic).ConfigureAwait(false);
        bool fifo = groups.FindExisting(group)?.ConsumeMessageOrderly == true;
        var response = new V2.QueryAssignmentResponse();
        foreach (QueueData queues in route.QueueDatas)
        {
            if (!TopicPermission.IsReadable(queues.Perm)
                || queues.ReadQueueNums <= 0
                || route.BrokerDatas.Find(data => data.BrokerName == queues.BrokerName) is not { } data
                || endpoints.Of(data) is not { } broker)
            {
                continue;
            }

            foreach (int id in fifo ? Enumerable.Range(0, Math.Min(queues.ReadQueueNums, TopicOptions.MaxQueueNums)) : [AnyQueue])
            {
                response.Assignments.Add(new V2.Assignment
                {
                    MessageQueue = new V2.MessageQueue
                    {
                        Topic = request.Topic,
                        Id = id,
                        Permission = PermissionOf(queues.Perm),
                        Broker = broker,
                    },
                });
            }
        }

        response.Status = response.Assignments.Count > 0 ? Statuses.Ok : Statuses.Of(V2.Code.Forbidden, "no readable queue");
        return response;
    }

    private async ValueTask<TopicRouteData> FindAsync(string topic) =>
        await routes.FindRouteAsync(topic).ConfigureAwait(false)
        ?? throw new MessagingException(V2.Code.TopicNotFound, $"No topic route info in name server for the topic: {topic}");

    // Numbered through, those for reading and writing first, unlike in RocketMQ, where they come last: rocketmq-client-nodejs looks at
    // nothing but each broker's queue 0, and a broker that warms up shows fewer queues for writing than for reading.
    private static IEnumerable<V2.MessageQueue> QueuesOf(
        V2.Resource topic, V2.Broker broker, QueueData queues, IReadOnlyList<V2.MessageType> types)
    {
        int read = Math.Clamp(queues.ReadQueueNums, 0, TopicOptions.MaxQueueNums);
        int write = Math.Clamp(queues.WriteQueueNums, 0, TopicOptions.MaxQueueNums);
        bool readable = TopicPermission.IsReadable(queues.Perm);
        bool writable = TopicPermission.IsWritable(queues.Perm);
        int both = readable && writable ? Math.Min(read, write) : 0;
        (int Count, V2.Permission Permission)[] kinds =
        [
            (both, V2.Permission.ReadWrite),
            (readable ? read - both : 0, V2.Permission.Read),
            (writable ? write - both : 0, V2.Permission.Write),
            (readable || writable ? 0 : Math.Max(1, Math.Max(read, write)), V2.Permission.None),
        ];
        int id = 0;
        foreach ((int count, V2.Permission permission) in kinds)
        {
            for (int i = 0; i < count; i++)
            {
                yield return new V2.MessageQueue
                {
                    Topic = topic,
                    Id = id++,
                    Permission = permission,
                    Broker = broker,
                    AcceptMessageTypes = { types },
                };
            }
        }
    }

    private static V2.Permission PermissionOf(int perm) =>
        (TopicPermission.IsReadable(perm), TopicPermission.IsWritable(perm)) switch
        {
            (true, true) => V2.Permission.ReadWrite,
            (true, false) => V2.Permission.Read,
            (false, true) => V2.Permission.Write,
            _ => V2.Permission.None,
        };

    // Clients refuse to send what a topic does not take; one that declares nothing takes everything.
    private static IReadOnlyList<V2.MessageType> TypesOf(TopicMessageType type) => type switch
    {
        TopicMessageType.Normal => [V2.MessageType.Normal],
        TopicMessageType.Fifo => [V2.MessageType.Fifo],
        TopicMessageType.Delay => [V2.MessageType.Delay],
        TopicMessageType.Transaction => [V2.MessageType.Transaction],
        _ => [V2.MessageType.Normal, V2.MessageType.Fifo, V2.MessageType.Delay, V2.MessageType.Transaction],
    };
}
