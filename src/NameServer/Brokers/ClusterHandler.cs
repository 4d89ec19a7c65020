using GrayMQ.NameServer.Routes;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Brokers;

/// <summary>Shows brokers, and takes or gives their write permission (RocketMQ requests 106, 901, 205, 327).</summary>
internal sealed class ClusterHandler(RouteTable routes, ILogger logger)
{
    public ValueTask DescribeAsync(RemotingRequest request, NoHeader header)
    {
        request.Reply(BodyCodec.Encode(routes.DescribeClusters()));
        return ValueTask.CompletedTask;
    }

    public ValueTask DescribeMembersAsync(RemotingRequest request, GetBrokerMemberGroupHeader header)
    {
        BrokerMemberGroup members = routes.DescribeMembers(header.ClusterName, header.BrokerName);
        request.Reply(BodyCodec.Encode(new GetBrokerMemberGroupResponseBody { BrokerMemberGroup = members }));
        return ValueTask.CompletedTask;
    }

    public ValueTask WipeWritePermissionAsync(RemotingRequest request, BrokerNameHeader header)
    {
        int topics = routes.SetWritable(header.BrokerName, writable: false);
        Log.WritePermissionWiped(logger, header.BrokerName, topics, request.Connection.RemoteEndPoint);
        request.Reply(new WipeWritePermOfBrokerResponseHeader { WipeTopicCount = topics });
        return ValueTask.CompletedTask;
    }

    public ValueTask AddWritePermissionAsync(RemotingRequest request, BrokerNameHeader header)
    {
        int topics = routes.SetWritable(header.BrokerName, writable: true);
        Log.WritePermissionAdded(logger, header.BrokerName, topics, request.Connection.RemoteEndPoint);
        request.Reply(new AddWritePermOfBrokerResponseHeader { AddTopicCount = topics });
        return ValueTask.CompletedTask;
    }
}
