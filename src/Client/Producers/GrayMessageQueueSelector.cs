using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Producers;

/// <summary>
/// Chooses among the queues of a message's own side: gray queues for a gray message, the others for a normal one. A message that is sent
/// with another selector gets where it belongs too, since brokers move it; this spares the detour. Where the order of keys matters, all
/// producers of a topic have to use it, or none.
/// </summary>
/// <param name="producer">The producer that sends.</param>
/// <param name="within">Chooses among those queues; null chooses any.</param>
public sealed class GrayMessageQueueSelector(Producer producer, QueueSelector? within = null)
{
    private readonly QueueSelector _within = within ?? QueueSelectors.Random;

    /// <summary>A <see cref="QueueSelector"/>.</summary>
    public MessageQueue Select(IReadOnlyList<MessageQueue> queues, Message message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return _within(producer.QueuesOf(producer.SideOf(message), message.Topic, queues), message);
    }
}
