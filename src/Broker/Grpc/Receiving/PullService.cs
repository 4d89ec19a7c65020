using System.Text;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Grpc.Calls;
using GrayMQ.Grpc.Framing;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>Pulling of queues by consumers that keep their offsets themselves, and the offsets that they keep here.</summary>
internal sealed class PullService(InnerRequests inner, ByteBudget untaken)
{
    public async Task PullAsync(GrpcCall call, Caller caller, V2.PullMessageRequest request)
    {
        string topic = ResourceNames.TopicOf(request.MessageQueue?.Topic, caller);
        string group = ResourceNames.GroupOf(request.Group, caller);
        TimeSpan wanted = request.LongPollingTimeout is { } asked ? Durations.Of(asked) : TimeSpan.Zero;
        TimeSpan poll = wanted < GrpcOptions.MaxPolling ? wanted : GrpcOptions.MaxPolling;
        UntakenBytes.Check(untaken);
        var header = new PullMessageHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(group),
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = request.MessageQueue!.Id,
            QueueOffset = request.Offset,
            MaxMessages = Math.Clamp(request.BatchSize, 1, GrpcOptions.MaxBatch),
            SysFlag = PullSysFlag.Subscription | (poll > TimeSpan.Zero ? PullSysFlag.Suspend : PullSysFlag.None),
            SuspendTimeoutMs = (long)poll.TotalMilliseconds,
            Subscription = Encoding.UTF8.GetBytes(Filters.TextOf(request.FilterExpression)),
            ExpressionType = Encoding.UTF8.GetBytes(Filters.TypeOf(request.FilterExpression)),
        };
        RemotingCommand answer = await inner
            .AskAsync(caller, RequestCode.PullMessage, header, cancel: call.Cancelled)
            .ConfigureAwait(false);

        if (answer.ResponseCode == ResponseCode.Success)
        {
            // Many may have been woken at once.
            UntakenBytes.Check(untaken);
        }

        call.Write(new V2.PullMessageResponse { Status = StatusOf(answer) });
        if (!answer.Fields.TryFind("nextBeginOffset"u8, out _))
        {
            return;
        }

        if (answer.ResponseCode == ResponseCode.Success)
        {
            await WriteAsync(call, caller.Language, answer.Body.First).ConfigureAwait(false);
        }

        call.Write(new V2.PullMessageResponse { NextOffset = answer.Fields.GetInt64("nextBeginOffset"u8) });
    }

    public async ValueTask<V2.UpdateOffsetResponse> UpdateOffsetAsync(Caller caller, V2.UpdateOffsetRequest request)
    {
        (byte[] topic, byte[] group) = NamesOf(request.MessageQueue, request.Group, caller);
        var header = new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = group,
            Topic = topic,
            QueueId = request.MessageQueue.Id,
            CommitOffset = request.Offset >= 0 ? request.Offset : throw new MessagingException(V2.Code.IllegalOffset, "the offset is negative"),
        };
        RemotingCommand answer = await inner.AskAsync(caller, RequestCode.UpdateConsumerOffset, header).ConfigureAwait(false);
        return new V2.UpdateOffsetResponse { Status = Statuses.Of(answer) };
    }

    public async ValueTask<V2.GetOffsetResponse> GetOffsetAsync(Caller caller, V2.GetOffsetRequest request)
    {
        (byte[] topic, byte[] group) = NamesOf(request.MessageQueue, request.Group, caller);
        var header = new QueryConsumerOffsetHeader
        {
            ConsumerGroup = group,
            Topic = topic,
            QueueId = request.MessageQueue.Id,
            SetZeroIfNotFound = false,
        };
        RemotingCommand answer = await inner.AskAsync(caller, RequestCode.QueryConsumerOffset, header).ConfigureAwait(false);
        return new V2.GetOffsetResponse { Status = Statuses.Of(answer), Offset = OffsetOf(answer) };
    }

    public async ValueTask<V2.QueryOffsetResponse> QueryOffsetAsync(Caller caller, V2.QueryOffsetRequest request)
    {
        string topic = ResourceNames.TopicOf(request.MessageQueue?.Topic, caller);
        var queue = new QueueHeader(topic, request.MessageQueue!.Id);
        RemotingCommand answer = request.QueryOffsetPolicy switch
        {
            V2.QueryOffsetPolicy.Beginning => await inner.AskAsync(caller, RequestCode.GetMinOffset, queue).ConfigureAwait(false),
            V2.QueryOffsetPolicy.End => await inner.AskAsync(caller, RequestCode.GetMaxOffset, queue).ConfigureAwait(false),
            V2.QueryOffsetPolicy.Timestamp when request.Timestamp is { Seconds: >= 0 and < 253_402_300_800 } time => await inner
                .AskAsync(
                    caller,
                    RequestCode.SearchOffsetByTimestamp,
                    new SearchOffsetHeader(topic, queue.QueueId, (time.Seconds * 1000) + (time.Nanos / 1_000_000), null))
                .ConfigureAwait(false),
            _ => throw new MessagingException(V2.Code.BadRequest, "the policy is none, or the timestamp is missing"),
        };
        return new V2.QueryOffsetResponse { Status = Statuses.Of(answer), Offset = OffsetOf(answer) };
    }

    private async Task WriteAsync(GrpcCall call, LanguageCode language, ReadOnlyMemory<byte> messages)
    {
        using var held = new UntakenBytes(untaken, messages.Length);
        for (int at = 0; TryWrite(call, language, messages.Span[at..], held, ref at);)
        {
            if (held.IsToBeFlushed)
            {
                await call.FlushAsync().ConfigureAwait(false);
                held.Flushed();
            }
        }

        await call.FlushAsync().ConfigureAwait(false);
    }

    private static bool TryWrite(GrpcCall call, LanguageCode language, ReadOnlySpan<byte> messages, UntakenBytes held, ref int at)
    {
        if (messages.IsEmpty || !StoredMessage.TryRead(messages, out StoredMessage stored, out _))
        {
            return false;
        }

        MessageWriter.OfThread.Write(
            in stored,
            new Delivery(stored.Topic, language),
            V2.PullMessageResponse.MessageFieldNumber,
            out ReadOnlySpan<byte> head,
            out ReadOnlySpan<byte> body);
        call.Write(head, body);
        held.Add(head.Length + body.Length);
        at += stored.TotalSize;
        return true;
    }

    private static (byte[] Topic, byte[] Group) NamesOf(V2.MessageQueue? queue, V2.Resource? group, Caller caller) =>
        (Encoding.UTF8.GetBytes(ResourceNames.TopicOf(queue?.Topic, caller)), Encoding.UTF8.GetBytes(ResourceNames.GroupOf(group, caller)));

    private static long OffsetOf(RemotingCommand answer) =>
        answer.ResponseCode == ResponseCode.Success ? answer.Fields.GetInt64("offset"u8) : 0;

    private static V2.Status StatusOf(RemotingCommand answer) => answer.ResponseCode switch
    {
        ResponseCode.PullNotFound or ResponseCode.PullRetryImmediately => Statuses.Of(V2.Code.MessageNotFound, "no new message"),
        ResponseCode.PullOffsetMoved => Statuses.Of(V2.Code.IllegalOffset, answer.Remark ?? "the offset is not within the queue"),
        _ => Statuses.Of(answer),
    };
}
