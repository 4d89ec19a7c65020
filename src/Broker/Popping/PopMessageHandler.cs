using GrayMQ.Broker.Pulling;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// POP_MESSAGE (200050) and NOTIFICATION (200054): checks who asks for what and has it served. Codes and remarks are those of RocketMQ's
/// PopMessageProcessor and NotificationProcessor.
/// </summary>
internal sealed class PopMessageHandler(
    PopOptions options, PopAccess access, PopService service, SubscriptionFilters filters, TimeProvider time)
{
    // RocketMQ: PopMessageRequestHeader.isTimeoutTooMuch. Nobody waits for the answer any more.
    private const int MaxLateMs = 500;

    private const int MaxAttemptBytes = 256;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    public ValueTask PopAsync(RemotingRequest request, PopMessageHeader header)
    {
        long now = NowMs;
        long born = header.BornTimeMs > 0 ? header.BornTimeMs : now;
        if (now - born - header.PollTimeMs > MaxLateMs)
        {
            throw new RemotingException(
                ResponseCode.PollingTimeout, $"the broker[{options.BrokerAddress}] pop message is timeout too much");
        }

        PopTarget target = access.Find(
            header.ConsumerGroup, header.Topic, header.QueueId, request.Connection.RemoteEndPoint, "pop message");
        access.CheckCount(header.MaxMessages);
        access.CheckInvisible(header.InvisibleTimeMs, least: 1);
        var pop = new Pop(
            request.Responder,
            target,
            header.QueueId,
            header.MaxMessages,
            header.InvisibleTimeMs,
            header.InitMode,
            target.FilterFor(header.ExpressionType.Span, header.Expression.Span, filters),
            header.IsOrder,
            AttemptOf(header.AttemptId, header.IsOrder),
            Deadline(now, born, header.PollTimeMs),
            IsNotification: false);
        service.Serve(in pop);
        return ValueTask.CompletedTask;
    }

    public ValueTask NotifyAsync(RemotingRequest request, NotificationHeader header)
    {
        long now = NowMs;
        PopTarget target = access.Find(
            header.ConsumerGroup, header.Topic, header.QueueId, request.Connection.RemoteEndPoint, "peeking message");
        var pop = new Pop(
            request.Responder,
            target,
            header.QueueId,
            MaxMessages: 0,
            InvisibleMs: 0,
            InitMode: 0,
            Filter: null,
            header.Order,
            AttemptOf(header.AttemptId, header.Order),
            Deadline(now, header.BornTimeMs > 0 ? header.BornTimeMs : now, header.PollTimeMs),
            IsNotification: true);
        service.Serve(in pop);
        return ValueTask.CompletedTask;
    }

    // It is kept for as long as the pop waits, so that its length is the peer's to choose only within reason (clients send a UUID).
    private static byte[]? AttemptOf(ReadOnlyMemory<byte> attemptId, bool isOrdered) =>
        isOrdered && attemptId.Length is > 0 and <= MaxAttemptBytes ? attemptId.ToArray() : null;

    // The client's clock may be wrong: however long it says, a request waits no longer than it asked to from now on.
    private long Deadline(long now, long born, long pollTimeMs) => pollTimeMs <= 0
        ? 0
        : Math.Min(born, now) + Math.Min(pollTimeMs, (long)options.MaxPoll.TotalMilliseconds);
}
