using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.Pops;

namespace GrayMQ.Broker.Popping;

/// <summary>Tells what a group has in hand: SHOW_POPS_IN_FLIGHT (30030), which is this project's own. Belongs on the thread pool.</summary>
internal sealed class PopsInFlightHandler(PopStore pops, MessageStore messages)
{
    public ValueTask HandleAsync(RemotingRequest request, GroupHeader header)
    {
        var body = new PopsInFlight
        {
            Queues =
            [
                .. pops.Topics.All
                    .Where(topic => topic.Group == header.Group)
                    .OrderBy(topic => topic.Topic, StringComparer.Ordinal)
                    .SelectMany(topic => topic.Queues)
                    .Select(Describe),
            ],
        };
        request.Reply(BodyCodec.Encode(body));
        return ValueTask.CompletedTask;
    }

    private PopsInFlightOfQueue Describe(PopQueue queue)
    {
        long end = messages.FindQueue(queue.Topic, queue.QueueId)?.MaxOffset ?? 0;
        lock (queue.Gate)
        {
            return new PopsInFlightOfQueue
            {
                Topic = queue.Topic,
                QueueId = queue.QueueId,
                InFlight = queue.InFlight,
                BrokerOffset = end,
                NextOffset = queue.NextOffset,
                Locked = queue.Ordered is not null,
            };
        }
    }
}
