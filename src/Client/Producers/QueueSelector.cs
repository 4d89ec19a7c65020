using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Producers;

/// <summary>Chooses the queue of a message.</summary>
/// <param name="queues">The topic's writable queues, by broker name and queue id: the same list as in RocketMQ's clients.</param>
/// <param name="message">The message to be sent.</param>
/// <returns>One of <paramref name="queues"/>.</returns>
public delegate MessageQueue QueueSelector(IReadOnlyList<MessageQueue> queues, Message message);
