using System.Text;
using Google.Protobuf.WellKnownTypes;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Grpc.Calls;
using GrayMQ.Grpc.Framing;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>
/// Hands messages out that stay invisible to others for a while; waits for some where there are none (RocketMQ: ReceiveMessageActivity).
/// What a client does not take becomes visible again soon.
/// </summary>
internal sealed class ReceiveService(
    GrpcOptions options,
    InnerRequests inner,
    ReceiptService receipts,
    SubscriptionGroupTable groups,
    ByteBudget untaken,
    TimeProvider time)
{
    // A new group begins with what comes next (RocketMQ: ConsumeInitMode.MAX).
    private const int InitAtEnd = 1;

    // RocketMQ: ReceiveMessageResponseStreamWriter.NACK_INVISIBLE_TIME.
    private static readonly TimeSpan NotTakenInvisible = TimeSpan.FromSeconds(1);

    public async Task ReceiveAsync(GrpcCall call, Caller caller, V2.ReceiveMessageRequest request)
    {
        string topic = ResourceNames.TopicOf(request.MessageQueue?.Topic, caller);
        string group = ResourceNames.GroupOf(request.Group, caller);
        bool isRenewed = request.AutoRenew;
        if (isRenewed && caller.Client is null)
        {
            // Nobody knows how long it is there. After a restart of the broker, libraries tell their settings within moments.
            throw new MessagingException(V2.Code.UnrecognizedClientType, "cannot find client settings for this client");
        }

        TimeSpan invisible = isRenewed
            ? GrpcOptions.RenewedInvisible
            : request.InvisibleDuration is { } duration ? Durations.Of(duration) : TimeSpan.Zero;
        Durations.CheckInvisible(invisible, GrpcOptions.MinInvisible);
        TimeSpan poll = Polling(call, caller, request);
        UntakenBytes.Check(untaken);

        var header = new PopMessageHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(group),
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = PopMessageHeader.AnyQueue,
            MaxMessages = Math.Min(request.BatchSize, GrpcOptions.MaxBatch),
            InvisibleTimeMs = (long)invisible.TotalMilliseconds,
            PollTimeMs = (long)poll.TotalMilliseconds,
            InitMode = InitAtEnd,
            ExpressionType = Encoding.UTF8.GetBytes(Filters.TypeOf(request.FilterExpression)),
            Expression = Encoding.UTF8.GetBytes(Filters.TextOf(request.FilterExpression)),
            IsOrder = groups.FindExisting(group)?.ConsumeMessageOrderly == true,
            AttemptId = Encoding.UTF8.GetBytes(request.AttemptId),
        };
        RemotingCommand answer = await inner.AskAsync(
            caller,
            RequestCode.PopMessage,
            header,
            late: late => _ = GiveBackAsync(caller, topic, group, late),
            cancel: call.Cancelled).ConfigureAwait(false);
        if (answer.ResponseCode == ResponseCode.Success)
        {
            await WriteAsync(call, caller, topic, group, answer, isRenewed).ConfigureAwait(false);
        }
        else
        {
            call.Write(new V2.ReceiveMessageResponse { Status = StatusOf(answer) });
        }

        call.Write(new V2.ReceiveMessageResponse { DeliveryTimestamp = Timestamp.FromDateTimeOffset(time.GetUtcNow()) });
    }

    private async Task WriteAsync(
        GrpcCall call, Caller caller, string topic, string group, RemotingCommand answer, bool isRenewed)
    {
        var reply = new PopReply(options.BrokerName, answer);
        byte[] name = Encoding.UTF8.GetBytes(topic);
        int taken = 0;
        MessageSink write = call.Write;
        using var held = new UntakenBytes(untaken, answer.Body.Length);
        try
        {
            call.Write(new V2.ReceiveMessageResponse { Status = Statuses.Ok });
            while (reply.HasMessageAt(taken))
            {
                // Several at a time: what a flush costs is shared by those that fit into it.
                int written = taken;
                while (!held.IsToBeFlushed && reply.HasMessageAt(written))
                {
                    if (isRenewed)
                    {
                        // Known before the client can ack it.
                        int at = written;
                        Renew(caller, topic, group, reply.ReadReceipt(ref at));
                    }

                    held.Add(reply.Write(ref written, name, caller.Language, write));
                }

                await call.FlushAsync().ConfigureAwait(false);
                held.Flushed();
                taken = written;
            }
        }
        catch (OperationCanceledException)
        {
            // What could not be sent, and all behind it.
            await GiveBackAsync(caller, topic, group, reply, taken).ConfigureAwait(false);
            throw;
        }
    }

    private void Renew(Caller caller, string topic, string group, Receipt receipt) =>
        caller.Client!.Renew().TryAdd(new RenewedReceipt(receipt.ToString(), topic, group, receipt, NowMs()));

    // Who asked has gone, and was answered after all.
    private Task GiveBackAsync(Caller caller, string topic, string group, RemotingCommand answer) =>
        answer.ResponseCode == ResponseCode.Success
            ? GiveBackAsync(caller, topic, group, new PopReply(options.BrokerName, answer), from: 0)
            : Task.CompletedTask;

    private async Task GiveBackAsync(Caller caller, string topic, string group, PopReply reply, int from)
    {
        while (reply.HasMessageAt(from))
        {
            Receipt receipt = reply.ReadReceipt(ref from);
            caller.Client?.Renewed?.Take(receipt.ToString());
            await receipts.ChangeAsync(caller, topic, group, receipt, NotTakenInvisible).ConfigureAwait(false);
        }
    }

    // As RocketMQ's proxy reckons: within bounds, and so that the answer comes before the deadline.
    private static TimeSpan Polling(GrpcCall call, Caller caller, V2.ReceiveMessageRequest request)
    {
        TimeSpan remaining = call.Remaining ?? GrpcOptions.MaxPolling;
        TimeSpan wanted = request.LongPollingTimeout is { } asked
            ? Durations.Of(asked)
            : remaining - ((caller.Client?.Settings.RequestTimeout is { } timeout ? Durations.Of(timeout) : TimeSpan.Zero) / 2);
        wanted = wanted < GrpcOptions.MinPolling ? GrpcOptions.MinPolling
            : wanted > GrpcOptions.MaxPolling ? GrpcOptions.MaxPolling
            : wanted;
        if (wanted <= remaining)
        {
            return wanted;
        }

        return remaining >= GrpcOptions.MinPolling
            ? remaining
            : throw new MessagingException(
                KnowsIllegalPollingTime(caller.Version) ? V2.Code.IllegalPollingTime : V2.Code.BadRequest,
                "The deadline time remaining is not enough for polling, please check network condition");
    }

    // The code came with 5.0.3; RocketMQ, too, compares the texts.
    private static bool KnowsIllegalPollingTime(string version) => string.CompareOrdinal("5.0.3", version) <= 0;

    private static V2.Status StatusOf(RemotingCommand answer) => answer.ResponseCode switch
    {
        ResponseCode.PollingFull => Statuses.Of(V2.Code.TooManyRequests, "polling full"),
        ResponseCode.PollingTimeout or ResponseCode.PullNotFound => Statuses.Of(V2.Code.MessageNotFound, "no new message"),
        _ => Statuses.Of(answer),
    };

    private long NowMs() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
