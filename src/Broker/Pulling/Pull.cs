using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Pulling;

/// <summary>A pull that has passed all checks: everything that is needed to answer it, now or when a message arrives.</summary>
/// <param name="QueueOffset">Where to read from. While it waits, messages are passed that are not for it, and need not be read again.</param>
/// <param name="HasPassed">Whether there were such.</param>
/// <param name="IsHeld">What it asks for belongs to another side of a gray release: no message that arrives is for it.</param>
/// <param name="IsFilterOfGroup">
/// The filter is what the group wants, whose sides may want different things, since nobody knew whose the pull is: it holds for no later answer, nor for
/// what is passed meanwhile.
/// </param>
internal readonly record struct Pull(
    Responder Responder,
    Topic Topic,
    SubscriptionGroupConfig Group,
    LogicQueue Queue,
    long QueueOffset,
    int MaxMessages,
    int MaxMessageBytes,
    IMessageFilter? Filter,
    bool HasPassed = false,
    bool IsHeld = false,
    bool IsFilterOfGroup = false);
