using GrayMQ.Broker.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Clients;

/// <summary>
/// Tells a consumer who the others of its group are, so that it knows its share of the queues:
/// GET_CONSUMER_LIST_BY_GROUP (38). RocketMQ: ConsumerManageProcessor.
/// </summary>
internal sealed class ConsumerListHandler(ConsumerTable consumers, GrayTable gray)
{
    public ValueTask HandleAsync(RemotingRequest request, GetConsumerListByGroupHeader header)
    {
        ConsumerGroup group = consumers.FindOnline(header.ConsumerGroup)
            ?? throw new RemotingException(ResponseCode.SystemError, $"no consumer for this group, {header.ConsumerGroup}");

        // A client that came back before its old connection was given up is one consumer all the same: named twice, it would
        // be dealt queues that nobody takes.
        var body = new GetConsumerListByGroupResponseBody
        {
            ConsumerIdList = [.. ClientsFor(group, request).Select(client => client.ClientId).Distinct(StringComparer.Ordinal)],
        };
        request.Reply(BodyCodec.Encode(body));
        return ValueTask.CompletedTask;
    }

    // While the group has a release, each side shares the queues out among its own. Who is not known is answered nothing: a client
    // that is told nothing keeps what it has.
    private IEnumerable<ConsumerClient> ClientsFor(ConsumerGroup group, in RemotingRequest request)
    {
        if (gray.FindGroup(group.Name) is not { } sides)
        {
            return group.Clients;
        }

        Standing standing = sides.StandingOf(request.Connection);
        return standing switch
        {
            Standing.Plain when sides.Release.IsOpen => group.Clients,
            Standing.Unknown => throw new RemotingException(
                ResponseCode.SystemError, $"the group {group.Name} has a gray release, and no heartbeat has told on which side the caller is"),
            _ => sides.ClientsOf(group, standing),
        };
    }
}
