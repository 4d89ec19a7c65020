using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;

namespace GrayMQ.Broker.Pulling;

/// <summary>Tells of each message that arrives to all who keep requests for one.</summary>
internal sealed class Arrivals(IArrivalListener first, IArrivalListener second) : IArrivalListener
{
    public void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
    {
        first.OnArrived(queue, queueOffset, tagsCode, in message);
        second.OnArrived(queue, queueOffset, tagsCode, in message);
    }
}
