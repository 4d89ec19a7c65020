using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Clients;

/// <summary>
/// Tells a consumer who the others of its group are, so that it knows its share of the queues:
/// GET_CONSUMER_LIST_BY_GROUP (38). RocketMQ: ConsumerManageProcessor.
/// </summary>
internal sealed class ConsumerListHandler(ConsumerTable consumers)
{
    public ValueTask HandleAsync(RemotingRequest request, GetConsumerListByGroupHeader header)
    {
        ConsumerGroup group = consumers.FindOnline(header.ConsumerGroup)
            ?? throw new RemotingException(ResponseCode.SystemError, $"no consumer for this group, {header.ConsumerGroup}");

        // A client that came back before its old connection was given up is one consumer all the same: named twice, it would
        // be dealt queues that nobody takes.
        var body = new GetConsumerListByGroupResponseBody
        {
            ConsumerIdList = [.. group.Clients.Select(client => client.ClientId).Distinct(StringComparer.Ordinal)],
        };
        request.Reply(BodyCodec.Encode(body));
        return ValueTask.CompletedTask;
    }
}
