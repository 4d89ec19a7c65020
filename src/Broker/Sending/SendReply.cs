using GrayMQ.Broker.Lifecycle;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Sending;

/// <summary>
/// The header of a send's answer, written from bytes (RocketMQ: SendMessageResponseHeader with the fields MSG_REGION and TRACE_ON
/// that its broker adds).
/// </summary>
internal readonly ref struct SendReply(
    ReadOnlySpan<byte> messageIds,
    int queueId,
    long queueOffset,
    ReadOnlySpan<byte> uniqueKey,
    SendIdentity identity,
    string? recallHandle = null) : IHeaderFields
{
    private readonly ReadOnlySpan<byte> _messageIds = messageIds;
    private readonly ReadOnlySpan<byte> _uniqueKey = uniqueKey;

    public void Write(ref HeaderWriter writer)
    {
        writer.WritePlain("msgId"u8, _messageIds);
        writer.WritePlain("queueId"u8, queueId);
        writer.WritePlain("queueOffset"u8, queueOffset);
        if (!_uniqueKey.IsEmpty)
        {
            writer.Write("transactionId"u8, _uniqueKey);
        }

        if (recallHandle is not null)
        {
            writer.Write("recallHandle"u8, recallHandle);
        }

        identity.Write(ref writer);
    }
}

/// <summary>What each answer to a producer says of this broker, whether the send succeeded or not.</summary>
/// <remarks>RocketMQ's clients pass over <c>leaving</c>; those of this project send elsewhere from then on.</remarks>
internal sealed class SendIdentity(string region, bool traceOn, SendGate gate) : IHeaderFields
{
    private readonly FixedFields _origin = FixedFields.Of(new SendOrigin(region, traceOn));

    public void Write(ref HeaderWriter writer)
    {
        writer.Write(_origin);
        if (gate.IsLeaving)
        {
            writer.Write("leaving"u8, true);
        }
    }

    private readonly struct SendOrigin(string region, bool traceOn) : IHeaderFields
    {
        public void Write(ref HeaderWriter writer)
        {
            writer.Write("MSG_REGION"u8, region);
            writer.Write("TRACE_ON"u8, traceOn);
        }
    }
}
