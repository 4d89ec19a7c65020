using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Flushing;

namespace GrayMQ.Broker.Sending;

/// <summary>What a send's answer tells, but for its unique key.</summary>
internal readonly record struct SendOutcome(Responder Responder, int QueueId, AppendResult Result, string? RecallHandle);

/// <summary>Answers sends of single messages, at once or when they are on disk.</summary>
internal sealed class SendReplies
{
    private readonly MessageIntake _intake;
    private readonly MessageHost _storeHost;
    private readonly WaitingSends _waiting;

    public SendReplies(SendIdentity identity, MessageIntake intake)
    {
        Identity = identity;
        _intake = intake;
        _storeHost = intake.StoreHost;
        _waiting = new WaitingSends(this);
    }

    public SendIdentity Identity { get; }

    /// <returns>Ends when the answer has been given.</returns>
    public ValueTask ReplyWhenFlushed(in SendOutcome outcome, ReadOnlySpan<byte> uniqueKey)
    {
        ValueTask<FlushStatus> flush = _intake.WaitForFlushAsync(outcome.Result.EndOffset);
        if (!flush.IsCompletedSuccessfully)
        {
            return _waiting.Take().Start(flush, in outcome, uniqueKey);
        }

        Reply(in outcome, MessageIntake.ToCode(flush.Result), uniqueKey);
        return ValueTask.CompletedTask;
    }

    public void Reply(in SendOutcome outcome, ResponseCode code, ReadOnlySpan<byte> uniqueKey)
    {
        Span<byte> messageId = stackalloc byte[MessageId.V6Digits];
        MessageId.TryFormat(messageId, in _storeHost, outcome.Result.PhysicalOffset, out int length);
        var header = new SendReply(
            messageId[..length], outcome.QueueId, outcome.Result.QueueOffset, uniqueKey, Identity, outcome.RecallHandle);
        outcome.Responder.Reply(code, null, header);
    }
}
