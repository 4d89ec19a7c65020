using GrayMQ.Client.Producers.Transactions;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client;

/// <summary>Every line that this project logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "Name server {Address} does not answer: {Reason}")]
    public static partial void NameServerFailed(ILogger logger, string address, string reason);

    [LoggerMessage(7, LogLevel.Warning, "Name server {Address} gives out no routes now: {Reason}")]
    public static partial void NameServerNotReady(ILogger logger, string address, string? reason);

    [LoggerMessage(2, LogLevel.Warning, "The route of topic {Topic} could not be asked for: {Reason}")]
    public static partial void RouteRefreshFailed(ILogger logger, string topic, string reason);

    [LoggerMessage(3, LogLevel.Warning, "The route of topic {Topic} stays as it was: {Reason}")]
    public static partial void RouteKept(ILogger logger, string topic, string reason);

    [LoggerMessage(4, LogLevel.Information, "Topic {Topic} has {Writable} queues to write and {Readable} to read")]
    public static partial void RouteChanged(ILogger logger, string topic, int writable, int readable);

    [LoggerMessage(5, LogLevel.Warning, "The heartbeat to {Address} failed: {Reason}")]
    public static partial void HeartbeatFailed(ILogger logger, string address, string reason);

    [LoggerMessage(6, LogLevel.Debug, "{Address} could not be told that this client leaves: {Reason}")]
    public static partial void UnregisterFailed(ILogger logger, string address, string reason);

    [LoggerMessage(20, LogLevel.Warning, "Attempt {Attempt} to send to {Queue} failed after {ElapsedMs} ms: {Reason}")]
    public static partial void SendAttemptFailed(
        ILogger logger, int attempt, MessageQueue queue, long elapsedMs, string reason);

    [LoggerMessage(21, LogLevel.Debug, "A reply from {Host} came that nobody waits for")]
    public static partial void ReplyUnexpected(ILogger logger, string host);

    [LoggerMessage(22, LogLevel.Warning, "The end ({Outcome}) of the transaction of message {MessageId} could not be told to {Address}, which will ask for it: {Reason}")]
    public static partial void EndTransactionFailed(
        ILogger logger, TransactionOutcome outcome, string messageId, string address, string reason);

    [LoggerMessage(23, LogLevel.Warning, "The check of the transaction of message {MessageId} failed: its outcome stays unknown")]
    public static partial void TransactionCheckFailed(ILogger logger, Exception error, string messageId);

    [LoggerMessage(24, LogLevel.Warning, "A check of a transaction is passed over, for {Count} wait already: the broker will ask again")]
    public static partial void TransactionCheckDropped(ILogger logger, int count);

    [LoggerMessage(25, LogLevel.Warning, "The local transaction of message {MessageId} failed: its outcome is unknown until the broker asks")]
    public static partial void LocalTransactionFailed(ILogger logger, Exception error, string messageId);

    [LoggerMessage(40, LogLevel.Warning, "Offset {Offset} of {Queue} could not be committed: {Reason}")]
    public static partial void CommitFailed(ILogger logger, long offset, MessageQueue queue, string reason);

    [LoggerMessage(41, LogLevel.Error, "The offsets in {Path} cannot be used: {Reason}")]
    public static partial void OffsetFileFailed(ILogger logger, string path, string reason);

    [LoggerMessage(42, LogLevel.Warning, "{Count} handlers are still at work after {Seconds} s: what they do now will be delivered again")]
    public static partial void HandlersLeft(ILogger logger, int count, double seconds);

    [LoggerMessage(43, LogLevel.Warning, "The handler failed for {Count} messages of {Queue} from offset {Offset} on")]
    public static partial void HandlerFailed(ILogger logger, Exception error, int count, MessageQueue queue, long offset);

    [LoggerMessage(44, LogLevel.Information, "The handler was cancelled with {Count} messages of {Queue} from offset {Offset} on")]
    public static partial void HandlerCancelled(ILogger logger, int count, MessageQueue queue, long offset);

    [LoggerMessage(45, LogLevel.Warning, "Message {MessageId} could not be given back to its broker and will be tried again here: {Reason}")]
    public static partial void SendBackFailed(ILogger logger, string messageId, string reason);

    [LoggerMessage(46, LogLevel.Warning, "{Count} messages of {Queue} from offset {Offset} on failed and are passed over, for this consumer is broadcasting")]
    public static partial void BroadcastFailed(ILogger logger, int count, MessageQueue queue, long offset);

    [LoggerMessage(47, LogLevel.Warning, "{Count} queues of broker {Broker} could not be locked: {Reason}")]
    public static partial void LockFailed(ILogger logger, int count, string broker, string reason);

    [LoggerMessage(48, LogLevel.Debug, "{Count} queues of broker {Broker} could not be unlocked: {Reason}")]
    public static partial void UnlockFailed(ILogger logger, int count, string broker, string reason);

    [LoggerMessage(49, LogLevel.Warning, "The lock on {Queue} was lost: it is given up")]
    public static partial void LockLost(ILogger logger, MessageQueue queue);

    [LoggerMessage(50, LogLevel.Warning, "{Queue} does not have the offset that was asked for: going on from {Offset}")]
    public static partial void OffsetMoved(ILogger logger, MessageQueue queue, long offset);

    [LoggerMessage(51, LogLevel.Information, "{Queue} is not pulled while {Count} messages of {Bytes} bytes wait to be handled")]
    public static partial void FlowControlled(ILogger logger, MessageQueue queue, int count, long bytes);

    [LoggerMessage(52, LogLevel.Warning, "Pulling {Queue} from offset {Offset} failed: {Reason}")]
    public static partial void PullFailed(ILogger logger, MessageQueue queue, long offset, string reason);

    [LoggerMessage(53, LogLevel.Warning, "The queues of topic {Topic} could not be shared out: {Reason}")]
    public static partial void RebalanceFailed(ILogger logger, string topic, string reason);

    [LoggerMessage(54, LogLevel.Debug, "This consumer is not among the {Count} members that the brokers of topic {Topic} know")]
    public static partial void NotAMember(ILogger logger, string topic, int count);

    [LoggerMessage(55, LogLevel.Information, "{Count} of {All} queues of topic {Topic} are this consumer's, one of {Members}")]
    public static partial void Rebalanced(ILogger logger, string topic, int count, int all, int members);

    [LoggerMessage(56, LogLevel.Warning, "{Address} could not be asked for the group's members: {Reason}")]
    public static partial void MembersUnknown(ILogger logger, string address, string reason);

    [LoggerMessage(57, LogLevel.Warning, "{Queue} could not be taken over yet: {Reason}")]
    public static partial void TakeOverFailed(ILogger logger, MessageQueue queue, string reason);

    [LoggerMessage(58, LogLevel.Information, "{Queue} goes on from offset {Offset}, as a broker demands")]
    public static partial void OffsetReset(ILogger logger, MessageQueue queue, long offset);

    [LoggerMessage(59, LogLevel.Information, "A broker demands other offsets for {Count} queues of topic {Topic}")]
    public static partial void ResetDemanded(ILogger logger, string topic, int count);

    [LoggerMessage(60, LogLevel.Warning, "{Count} messages of {Queue} from offset {Offset} on were not handled within {Timeout} and have been given back")]
    public static partial void HandlerExpired(ILogger logger, int count, MessageQueue queue, long offset, TimeSpan timeout);

    [LoggerMessage(70, LogLevel.Debug, "{Address} could not be asked for assignments: {Reason}")]
    public static partial void AssignmentUnknown(ILogger logger, string address, string reason);

    [LoggerMessage(71, LogLevel.Warning, "Popping {Queue} failed: {Reason}")]
    public static partial void PopFailed(ILogger logger, MessageQueue queue, string reason);

    [LoggerMessage(72, LogLevel.Warning, "Message {Offset} of queue {QueueId} of {Topic} at {Broker} could not be acknowledged and will come again: {Reason}")]
    public static partial void AckFailed(ILogger logger, long offset, string topic, int queueId, string broker, string reason);

    [LoggerMessage(73, LogLevel.Debug, "Message {MessageId} could not be handed back and will come again when its time is over: {Reason}")]
    public static partial void HandBackFailed(ILogger logger, string messageId, string reason);

    [LoggerMessage(74, LogLevel.Warning, "The invisible time of message {MessageId} could not be changed to {Invisible}: {Reason}")]
    public static partial void ChangeInvisibleFailed(ILogger logger, string messageId, TimeSpan invisible, string reason);

    [LoggerMessage(75, LogLevel.Warning, "{Count} messages of {Topic} waited here until their invisible time was over, and will come again: the handlers are too slow for what is popped")]
    public static partial void PoppedExpired(ILogger logger, int count, string topic);

    [LoggerMessage(76, LogLevel.Warning, "Message {MessageId} is not handled within {Timeout}: its invisible time is renewed no longer")]
    public static partial void RenewalEnded(ILogger logger, string messageId, TimeSpan timeout);

    [LoggerMessage(77, LogLevel.Warning, "Which topics are gray is not known, or not anew: {Problem}")]
    public static partial void GrayStateUnknown(ILogger logger, string problem);
}
