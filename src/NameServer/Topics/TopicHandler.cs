using GrayMQ.NameServer.Routes;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Topics;

/// <summary>Lists topics, adds and forgets them (RocketMQ requests 206, 216, 217, 224, 304, 311, 312, 313).</summary>
internal sealed class TopicHandler(RouteTable routes, LiveOptions options, ILogger logger)
{
    /// <summary>RocketMQ: TopicSysFlag.FLAG_UNIT.</summary>
    private const int UnitFlag = 1;

    /// <summary>RocketMQ: TopicSysFlag.FLAG_UNIT_SUB.</summary>
    private const int UnitSubscriptionFlag = 2;

    public ValueTask ListAllAsync(RemotingRequest request, NoHeader header) =>
        Reply(request, options.Current.EnableAllTopicList, routes.ListTopics);

    public ValueTask ListOfClusterAsync(RemotingRequest request, GetTopicsByClusterHeader header) =>
        Reply(request, options.Current.EnableTopicList, () => routes.ListTopicsOf(header.Cluster));

    public ValueTask ListSystemAsync(RemotingRequest request, NoHeader header)
    {
        request.Reply(BodyCodec.Encode(routes.ListSystemTopics()));
        return ValueTask.CompletedTask;
    }

    public ValueTask ListUnitAsync(RemotingRequest request, NoHeader header) =>
        Reply(request, options.Current.EnableTopicList, () => routes.ListTopics(flag => (flag & UnitFlag) != 0));

    public ValueTask ListUnitSubscriptionAsync(RemotingRequest request, NoHeader header) =>
        Reply(request, options.Current.EnableTopicList, () => routes.ListTopics(flag => (flag & UnitSubscriptionFlag) != 0));

    public ValueTask ListUnitSubscriptionWithoutUnitAsync(RemotingRequest request, NoHeader header) =>
        Reply(
            request,
            options.Current.EnableTopicList,
            () => routes.ListTopics(flag => (flag & (UnitFlag | UnitSubscriptionFlag)) == UnitSubscriptionFlag));

    public ValueTask DeleteAsync(RemotingRequest request, DeleteTopicInNameServerHeader header)
    {
        string? cluster = string.IsNullOrEmpty(header.ClusterName) ? null : header.ClusterName;
        if (routes.DeleteTopic(header.Topic, cluster))
        {
            Log.TopicDeleted(logger, header.Topic, cluster ?? "all clusters", request.Connection.RemoteEndPoint);
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    public ValueTask RegisterAsync(RemotingRequest request, RegisterTopicHeader header)
    {
        NameCheck.Require("topic name", header.Topic);
        List<QueueData> queues = request.Body.IsEmpty ? [] : BodyCodec.Decode<TopicRouteData>(request.Body).QueueDatas;
        if (queues.Count > 0)
        {
            if (routes.RegisterTopic(header.Topic, queues))
            {
                Log.TopicRegistered(logger, header.Topic, queues.Count, request.Connection.RemoteEndPoint);
            }
            else
            {
                // RocketMQ answers success here too.
                Log.TopicNotRegistered(logger, header.Topic, request.Connection.RemoteEndPoint);
            }
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    private static ValueTask Reply(RemotingRequest request, bool enabled, Func<List<string>> list)
    {
        if (enabled)
        {
            request.Reply(BodyCodec.Encode(new TopicList { Topics = list() }));
        }
        else
        {
            request.Reply(ResponseCode.SystemError, "disable");
        }

        return ValueTask.CompletedTask;
    }
}
