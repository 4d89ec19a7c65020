using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Pulling;
using GrayMQ.Filtering;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Clients;

/// <summary>What administrators ask about clients and their subscriptions. RocketMQ: AdminBrokerProcessor.</summary>
internal sealed class ClientQueryHandler(
    ConsumerTable consumers, ProducerTable producers, ConsumerOffsetTable offsets, SubscriptionFilters filters)
{
    /// <summary>GET_CONSUMER_CONNECTION_LIST (203).</summary>
    public ValueTask ConsumersAsync(RemotingRequest request, GetConsumerConnectionListHeader header)
    {
        ConsumerGroup group = consumers.FindOnline(header.ConsumerGroup)
            ?? throw new RemotingException(
                ResponseCode.ConsumerNotOnline, $"the consumer group[{header.ConsumerGroup}] not online");
        var body = new ConsumerConnection
        {
            ConsumeType = group.ConsumeType,
            MessageModel = group.MessageModel,
            ConsumeFromWhere = group.ConsumeFromWhere,
            SubscriptionTable = group.Subscriptions.All.ToDictionary(each => each.Topic, each => each.Data, StringComparer.Ordinal),
            ConnectionSet = [.. group.Clients.Select(client => ToConnection(client.Session, client.ClientId))],
        };
        request.Reply(BodyCodec.Encode(body));
        return ValueTask.CompletedTask;
    }

    /// <summary>GET_PRODUCER_CONNECTION_LIST (204).</summary>
    public ValueTask ProducersAsync(RemotingRequest request, GetProducerConnectionListHeader header)
    {
        IReadOnlyList<ProducerClient> clients = producers.ClientsOf(header.ProducerGroup);
        if (clients.Count == 0)
        {
            throw new RemotingException(ResponseCode.SystemError, $"the producer group[{header.ProducerGroup}] not exist");
        }

        var body = new ProducerConnection
        {
            ConnectionSet = [.. clients.Select(client => ToConnection(client.Session, client.Session.ClientId))],
        };
        request.Reply(BodyCodec.Encode(body));
        return ValueTask.CompletedTask;
    }

    /// <summary>GET_ALL_PRODUCER_INFO (328).</summary>
    public ValueTask AllProducersAsync(RemotingRequest request, NoHeader header)
    {
        var body = new ProducerTableInfo
        {
            Data = producers.Groups.ToDictionary(
                group => group.Key, group => group.Value.Select(ToInfo).ToList(), StringComparer.Ordinal),
        };
        request.Reply(BodyCodec.Encode(body));
        return ValueTask.CompletedTask;
    }

    /// <summary>QUERY_TOPIC_CONSUME_BY_WHO (300): the groups that consume a topic now, or did and left an offset.</summary>
    public ValueTask GroupsOfTopicAsync(RemotingRequest request, TopicHeader header)
    {
        IEnumerable<string> groups = consumers.GroupsOf(header.Topic).Union(offsets.GroupsOf(header.Topic), StringComparer.Ordinal);
        request.Reply(BodyCodec.Encode(new GroupList { Groups = [.. groups.Order(StringComparer.Ordinal)] }));
        return ValueTask.CompletedTask;
    }

    /// <summary>QUERY_SUBSCRIPTION_BY_CONSUMER (345): what a group wants of a topic, if it does.</summary>
    public ValueTask SubscriptionAsync(RemotingRequest request, GroupTopicHeader header)
    {
        var body = new QuerySubscriptionResponseBody
        {
            Group = header.Group,
            Topic = header.Topic,
            SubscriptionData = consumers.Find(header.Group)?.FindSubscription(header.Topic)?.Data,
        };
        request.Reply(BodyCodec.Encode(body));
        return ValueTask.CompletedTask;
    }

    /// <summary>CHECK_CLIENT_CONFIG (46): whether this broker can filter as a consumer wants. RocketMQ: ClientManageProcessor.</summary>
    public ValueTask CheckConfigAsync(RemotingRequest request, NoHeader header)
    {
        SubscriptionData? subscription = request.Body.IsEmpty
            ? null
            : BodyCodec.Decode<CheckClientRequestBody>(request.Body).SubscriptionData;
        if (subscription is not null && !SubscriptionExpression.IsTagType(subscription.ExpressionType))
        {
            filters.Parse(subscription.ExpressionType, subscription.SubString);
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    private static Connection ToConnection(ClientSession session, string clientId) => new()
    {
        ClientId = clientId,
        ClientAddr = session.Address,
        Language = session.Language.ToName(),
        Version = session.Version,
    };

    private static ProducerInfo ToInfo(ProducerClient client) => new()
    {
        ClientId = client.Session.ClientId,
        RemoteIp = client.Session.Address,
        Language = client.Session.Language.ToName(),
        Version = client.Session.Version,
        LastUpdateTimestamp = client.LastHeartbeatMs,
    };
}
