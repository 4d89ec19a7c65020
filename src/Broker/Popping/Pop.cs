using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// A pop, or the wish to be told when there is something to pop, that has passed all checks: everything that is needed to answer it,
/// now or when a message arrives.
/// </summary>
/// <param name="QueueId">Negative for all queues.</param>
/// <param name="InitMode">Where a group begins that is new: 0 at a queue's first message, 1 at its last.</param>
/// <param name="AttemptId">UTF-8; empty for none.</param>
/// <param name="DeadlineMs">Until when it may wait, ms since 1970; 0 for not at all.</param>
/// <param name="IsNotification">It takes nothing and is told only whether there is something.</param>
internal readonly record struct Pop(
    Responder Responder,
    PopTarget Target,
    int QueueId,
    int MaxMessages,
    long InvisibleMs,
    int InitMode,
    IMessageFilter? Filter,
    bool IsOrdered,
    ReadOnlyMemory<byte> AttemptId,
    long DeadlineMs,
    bool IsNotification);
