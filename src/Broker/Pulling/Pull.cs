using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Pulling;

/// <summary>A pull that has passed all checks: everything that is needed to answer it, now or when a message arrives.</summary>
internal readonly record struct Pull(
    Responder Responder,
    Topic Topic,
    SubscriptionGroupConfig Group,
    LogicQueue Queue,
    long QueueOffset,
    int MaxMessages,
    int MaxMessageBytes,
    IMessageFilter? Filter);
