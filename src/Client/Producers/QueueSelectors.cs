using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Producers;

/// <summary>Ways to choose a queue.</summary>
public static class QueueSelectors
{
    /// <summary>Any queue.</summary>
    public static QueueSelector Random { get; } = (queues, _) => queues[System.Random.Shared.Next(queues.Count)];

    /// <summary>
    /// The queue of a key's hash: messages with one key keep their order as long as the topic keeps its queues. Chooses the same
    /// queue as RocketMQ's SelectMessageQueueByHash does for the same text.
    /// </summary>
    public static QueueSelector ByHash(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return ByHash(_ => key);
    }

    /// <summary>The queue of the hash of a key that each message has.</summary>
    /// <param name="key">Finds the key of a message, for instance its order's number.</param>
    public static QueueSelector ByHash(Func<Message, string> key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return (queues, message) => queues[Math.Abs(JavaStringHash.Of(key(message).AsSpan()) % queues.Count)];
    }
}
