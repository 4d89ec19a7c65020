using System.Text;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>
/// What consumers say of messages in their hands: that they are done, that they take longer, that they cannot be handled (RocketMQ:
/// AckMessageActivity, ChangeInvisibleDurationActivity, ForwardMessageToDLQActivity).
/// </summary>
internal sealed class ReceiptService(GrpcOptions options, InnerRequests inner)
{
    // Straight to the dead letters (RocketMQ: ConsumerSendMsgBackRequestHeader.delayLevel).
    private const int DeadLetterLevel = -1;

    private const int MaxEntries = 1024;

    private readonly byte[] _brokerName = Encoding.UTF8.GetBytes(options.BrokerName);

    public async ValueTask<V2.AckMessageResponse> AckAsync(Caller caller, V2.AckMessageRequest request)
    {
        string topic = ResourceNames.TopicOf(request.Topic, caller);
        string group = ResourceNames.GroupOf(request.Group, caller);
        if (request.Entries.Count > MaxEntries)
        {
            throw new MessagingException(V2.Code.BadRequest, $"{request.Entries.Count} acks in one request: {MaxEntries} are the limit");
        }

        var receipts = new Receipt?[request.Entries.Count];
        var statuses = new V2.Status?[receipts.Length];
        for (int i = 0; i < receipts.Length; i++)
        {
            try
            {
                receipts[i] = Take(caller, request.Entries[i].ReceiptHandle);
            }
            catch (MessagingException e)
            {
                statuses[i] = e.ToStatus();
            }
        }

        await AckAsync(caller, topic, group, receipts, statuses).ConfigureAwait(false);
        var response = new V2.AckMessageResponse();
        for (int i = 0; i < receipts.Length; i++)
        {
            response.Entries.Add(new V2.AckMessageResultEntry
            {
                MessageId = request.Entries[i].MessageId,
                ReceiptHandle = request.Entries[i].ReceiptHandle,
                Status = statuses[i],
            });
        }

        response.Status = Statuses.OfAll(statuses!);
        return response;
    }

    public async ValueTask<V2.ChangeInvisibleDurationResponse> ChangeAsync(Caller caller, V2.ChangeInvisibleDurationRequest request)
    {
        string topic = ResourceNames.TopicOf(request.Topic, caller);
        string group = ResourceNames.GroupOf(request.Group, caller);
        TimeSpan invisible = request.InvisibleDuration is { } duration ? Durations.Of(duration) : TimeSpan.Zero;
        Durations.CheckInvisible(invisible, TimeSpan.Zero);
        Receipt receipt = Take(caller, request.ReceiptHandle);
        (V2.Status status, Receipt? changed) = await ChangeAsync(caller, topic, group, receipt, invisible).ConfigureAwait(false);
        return new V2.ChangeInvisibleDurationResponse { Status = status, ReceiptHandle = changed?.ToString() ?? "" };
    }

    public async ValueTask<V2.ForwardMessageToDeadLetterQueueResponse> ForwardAsync(
        Caller caller, V2.ForwardMessageToDeadLetterQueueRequest request)
    {
        string topic = ResourceNames.TopicOf(request.Topic, caller);
        string group = ResourceNames.GroupOf(request.Group, caller);
        Receipt receipt = Take(caller, request.ReceiptHandle);
        if (receipt.PhysicalOffset < 0)
        {
            throw new MessagingException(V2.Code.InvalidReceiptHandle, "the receipt handle does not say where the message is");
        }

        var header = new ConsumerSendMessageBackHeader
        {
            PhysicalOffset = receipt.PhysicalOffset,
            Group = group,
            DelayLevel = DeadLetterLevel,
            OriginMessageId = request.MessageId,
            OriginTopic = topic,
            MaxReconsumeTimes = 0,
        };
        RemotingCommand answer = await inner.AskAsync(caller, RequestCode.ConsumerSendMessageBack, header).ConfigureAwait(false);
        V2.Status status = Statuses.Of(answer);
        if (status.Code == V2.Code.Ok)
        {
            // It is among the dead letters: whether it is still in hand makes no difference.
            await AckAsync(caller, topic, group, [receipt], new V2.Status?[1]).ConfigureAwait(false);
        }

        return new V2.ForwardMessageToDeadLetterQueueResponse { Status = status };
    }

    /// <summary>Has a message become visible after another time, counted from now.</summary>
    /// <returns>The receipt that counts from now on; null with a status that says why not.</returns>
    public async ValueTask<(V2.Status Status, Receipt? Changed)> ChangeAsync(
        Caller caller, string topic, string group, Receipt receipt, TimeSpan invisible)
    {
        RemotingCommand answer = await AskAsync(caller, topic, group, receipt, invisible, keepsHandle: false).ConfigureAwait(false);
        if (answer.ResponseCode != ResponseCode.Success)
        {
            return (StatusOf(answer), null);
        }

        ChangeInvisibleTimeResponseHeader changed = ChangeInvisibleTimeResponseHeader.Read(answer.Fields);
        return (Statuses.Ok, Receipt.Of(
            new PopHandle
            {
                StartOffset = receipt.QueueOffset,
                PopTimeMs = changed.PopTimeMs,
                InvisibleTimeMs = changed.InvisibleTimeMs,
                ReviveQueueId = changed.ReviveQueueId,
                Kind = receipt.Kind,
                BrokerName = _brokerName,
                QueueId = receipt.QueueId,
                QueueOffset = receipt.QueueOffset,
            },
            receipt.PhysicalOffset));
    }

    /// <summary>Has a message stay invisible for a time from now on; its receipt goes on to count.</summary>
    /// <returns>False when it is not in hand any more.</returns>
    public async Task<bool> ProlongAsync(Caller caller, string topic, string group, Receipt receipt, TimeSpan invisible) =>
        (await AskAsync(caller, topic, group, receipt, invisible, keepsHandle: true).ConfigureAwait(false)).ResponseCode
            == ResponseCode.Success;

    private ValueTask<RemotingCommand> AskAsync(
        Caller caller, string topic, string group, Receipt receipt, TimeSpan invisible, bool keepsHandle) => inner.AskAsync(
        caller,
        RequestCode.ChangeMessageInvisibleTime,
        new ChangeInvisibleTimeHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(group),
            Topic = Encoding.UTF8.GetBytes(receipt.StoredTopic(topic, group)),
            QueueId = receipt.QueueId,
            ExtraInfo = receipt.Handle,
            Offset = receipt.QueueOffset,
            InvisibleTimeMs = (long)invisible.TotalMilliseconds,
            KeepsHandle = keepsHandle,
        });

    // Those that are receipts, at once and one behind the other: they are written together when the last of them comes.
    private async Task AckAsync(Caller caller, string topic, string group, Receipt?[] receipts, V2.Status?[] statuses)
    {
        byte[] groupUtf8 = Encoding.UTF8.GetBytes(group);
        byte[] topicUtf8 = Encoding.UTF8.GetBytes(topic);
        var answers = new Task<RemotingCommand>?[receipts.Length];
        int last = Array.FindLastIndex(receipts, receipt => receipt is not null);
        for (int i = 0; i <= last; i++)
        {
            if (receipts[i] is { } receipt)
            {
                var header = new AckMessageHeader
                {
                    ConsumerGroup = groupUtf8,
                    Topic = receipt.Kind == PopHandle.Normal ? topicUtf8 : Encoding.UTF8.GetBytes(receipt.StoredTopic(topic, group)),
                    QueueId = receipt.QueueId,
                    ExtraInfo = receipt.Handle,
                    Offset = receipt.QueueOffset,
                    IsFollowed = i < last,
                };
                answers[i] = inner.AskAsync(caller, RequestCode.AckMessage, header).AsTask();
            }
        }

        for (int i = 0; i <= last; i++)
        {
            if (answers[i] is { } answer)
            {
                statuses[i] = StatusOf(await answer.ConfigureAwait(false));
            }
        }
    }

    // It is renewed no more.
    private static Receipt Take(Caller caller, string known)
    {
        caller.Client?.Renewed?.Take(known);
        return Receipt.Parse(known);
    }

    // A handle that is none and one whose time is up are the same to a client: the message is not its own.
    private static V2.Status StatusOf(RemotingCommand answer) =>
        answer.ResponseCode is ResponseCode.MessageIllegal or ResponseCode.NoMessage
            ? Statuses.Of(V2.Code.InvalidReceiptHandle, answer.Remark ?? "")
            : Statuses.Of(answer);
}
