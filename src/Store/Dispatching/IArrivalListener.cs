using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Store.Dispatching;

/// <summary>Told of every message that has become readable in a queue.</summary>
public interface IArrivalListener
{
    /// <summary>
    /// Called by the dispatcher, in order of the log, after the consume-queue entry can be read. The view is only good for
    /// the call. Everything waits for its return, so it should hand on and be gone.
    /// </summary>
    void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message);
}

/// <summary>
/// Decides the tags code of a consume-queue entry where it is not the tag's hash: RocketMQ puts the delivery time there
/// for its schedule topic, and the store knows nothing of that. A pure function of the message, since queues are rebuilt.
/// </summary>
public interface ITagsCodeRule
{
    /// <param name="tagsCode">The hash of the message's tag, 0 for none.</param>
    long TagsCodeOf(in StoredMessage message, long tagsCode);
}
