using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Appending;

namespace GrayMQ.Broker.Sending;

/// <summary>What a send's answer tells, but for its unique key.</summary>
internal readonly record struct SendOutcome(Responder Responder, int QueueId, AppendResult Result, string? RecallHandle);

/// <summary>Answers sends of single messages, at once or when they are on disk.</summary>
internal sealed class SendReplies
{
    private readonly MessageIntake _intake;
    private readonly byte[] _hostDigits;
    private readonly WaitingSends _waiting;

    public SendReplies(SendIdentity identity, MessageIntake intake)
    {
        Identity = identity;
        _intake = intake;
        _hostDigits = MessageId.HostDigits(intake.StoreHost);
        _waiting = new WaitingSends(this);
    }

    public SendIdentity Identity { get; }

    /// <summary>Answers once the message is on disk: at once, or later from another thread.</summary>
    public void ReplyWhenFlushed(in SendOutcome outcome, ReadOnlySpan<byte> uniqueKey)
    {
        if (_intake.IsFlushed(outcome.Result.EndOffset))
        {
            Reply(in outcome, ResponseCode.Success, uniqueKey);
        }
        else
        {
            _waiting.Take().Start(_intake, in outcome, uniqueKey);
        }
    }

    public void Reply(in SendOutcome outcome, ResponseCode code, ReadOnlySpan<byte> uniqueKey)
    {
        Span<byte> messageId = stackalloc byte[MessageId.V6Digits];
        _hostDigits.CopyTo(messageId);
        MessageId.WriteOffset(messageId[_hostDigits.Length..], outcome.Result.PhysicalOffset);
        var header = new SendReply(
            messageId[..(_hostDigits.Length + MessageId.OffsetDigits)], outcome.QueueId, outcome.Result.QueueOffset, uniqueKey, Identity, outcome.RecallHandle);
        outcome.Responder.Reply(code, null, header);
    }
}
