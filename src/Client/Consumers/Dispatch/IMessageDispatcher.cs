using GrayMQ.Client.Consumers.ProcessQueues;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.Dispatch;

/// <summary>Brings pulled messages to the handler.</summary>
internal interface IMessageDispatcher
{
    /// <summary>A queue was assigned.</summary>
    void Begin(ProcessQueue queue);

    /// <summary>Messages came in, which the queue holds until they are completed.</summary>
    void Dispatch(ProcessQueue queue, IReadOnlyList<ReceivedMessage> messages);

    /// <summary>A queue was dropped; completes when none of its messages is being handled and order matters.</summary>
    Task EndAsync(ProcessQueue queue);

    /// <summary>
    /// Begins no handling any more and waits for that which is under way; when <paramref name="patience"/> is over, has it cancelled
    /// and waits no longer.
    /// </summary>
    Task StopAsync(TimeSpan patience);
}
