using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using GrayMQ.Broker.Delays;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Retries;
using GrayMQ.Broker.Topics;
using GrayMQ.Broker.Transactions;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Flushing;

namespace GrayMQ.Broker.Sending;

/// <summary>
/// Stores what producers send: SEND_MESSAGE (10), SEND_MESSAGE_V2 (310) and SEND_BATCH_MESSAGE (320). The body goes from the
/// connection's buffer straight into the log; nothing is allocated for a message.
/// </summary>
internal sealed class SendMessageHandler(
    SendOptions options,
    TopicTable topics,
    SendGate gate,
    MessageIntake intake,
    HalfMessageIntake halves,
    RetrySends retries,
    DelayedSends delayed,
    UniqueKeyGenerator uniqueKeys,
    GrayTable gray,
    TimeProvider time)
{
    private const int MaxStackBytes = 1024;

    private readonly SendReplies _replies = new(new SendIdentity(options.Region, options.TraceOn, gate), intake);
    private readonly MessageHost _storeHost = intake.StoreHost;
    private readonly byte[] _addedProperties = SendProperties.Added(options);
    private readonly byte[] _addedGrayProperties = SendProperties.AddedGray(options);
    private readonly SendTargets _targets = new(topics, options.BrokerPermission);
    private readonly IBatchWork _announceAppended = intake.Appended;
    private readonly IBatchWork _flushAppended = intake.Appended.ForFlush;

    public ValueTask HandleAsync(in RemotingRequest request, in SendMessageHeader header)
    {
        try
        {
            return header.Batch || request.Code == RequestCode.SendBatchMessage
                ? SendBatch(in request, in header)
                : Send(in request, in header);
        }
        catch (RemotingException e)
        {
            // Refusals, too, say which broker speaks.
            request.Responder.Reply(e.Code, e.Message, _replies.Identity);
            return ValueTask.CompletedTask;
        }
    }

    private ValueTask Send(in RemotingRequest request, in SendMessageHeader header)
    {
        Topic topic = _targets.FindTopic(in header, in request);
        gate.Enter(in request, topic);
        int queueId = SendTargets.ChooseQueue(topic, in header, in request);
        if (!topic.IsRetry)
        {
            return Store(in request, in header, topic, queueId);
        }

        SendMessageHeader placed = retries.Place(in header, ref topic, ref queueId, in request);
        return Store(in request, in placed, topic, queueId);
    }

    // Nothing is read of the scratch memory that was not written before: clearing it would cost as much as using it.
    [SkipLocalsInit]
    private ValueTask Store(in RemotingRequest request, in SendMessageHeader header, Topic topic, int queueId)
    {
        var sent = SendProperties.Scan(header.Properties.Span);
        bool isHalf = IsHalf(in sent, in header);
        if (isHalf)
        {
            halves.RefuseIfForbidden();
        }
        else
        {
            RefuseUnsupported(in sent, header.SysFlag);
        }

        CheckType(topic, in sent);

        Span<byte> madeKey = stackalloc byte[MessageId.V6Digits];
        scoped ReadOnlySpan<byte> uniqueKey = sent.UniqueKey;
        if (uniqueKey.IsEmpty)
        {
            uniqueKeys.Write(madeKey, time.GetUtcNow().ToUnixTimeMilliseconds());
            uniqueKey = madeKey[..uniqueKeys.Digits];
        }

        byte[] added = AddedTo(ref sent, in header, in request);
        int propertyBytes = sent.MaxBytes(uniqueKey, added);
        byte[]? rented = propertyBytes <= MaxStackBytes ? null : ArrayPool<byte>.Shared.Rent(propertyBytes);
        Span<byte> properties = rented ?? stackalloc byte[MaxStackBytes];
        try
        {
            int length = sent.Write(properties, uniqueKey, added);
            scoped MessageAppend message = default;
            message.Body = request.Body;
            message.Properties = properties[..length];
            message.Flag = header.Flag;
            message.SysFlag = SysFlagOf(topic, in header);
            message.BornTimestampMs = header.BornTimestampMs;
            message.BornHost = request.Connection.Host;
            message.StoreHost = _storeHost;
            message.ReconsumeTimes = header.ReconsumeTimes;
            message.IsAnnouncedLater = true;
            string? recallHandle = null;
            AppendResult result = isHalf ? halves.Append(topic, queueId, in message, uniqueKey)
                : sent.IsDelayed ? delayed.Append(topic, queueId, in message, uniqueKey, out recallHandle)
                : intake.Append(topic, queueId, in message);
            ThrowUnlessStored(result.Status);
            request.Connection.AfterBatch(sent.WaitForFlush ? _flushAppended : _announceAppended);
            // What is stored for good may have been moved to a queue of its side; what waits is moved when it is due.
            var outcome = new SendOutcome(request.Responder, result.QueueId, result, recallHandle);
            if (sent.WaitForFlush)
            {
                _replies.ReplyWhenFlushed(in outcome, uniqueKey);
            }
            else
            {
                _replies.Reply(in outcome, ResponseCode.Success, uniqueKey);
            }

            return ValueTask.CompletedTask;
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private ValueTask SendBatch(in RemotingRequest request, in SendMessageHeader header)
    {
        Topic topic = _targets.FindTopic(in header, in request);
        gate.Enter(in request, topic);
        if (topic.IsRetry)
        {
            throw new RemotingException(
                ResponseCode.MessageIllegal, $"batch request does not support retry group {topic.Name}");
        }

        int queueId = SendTargets.ChooseQueue(topic, in header, in request);
        var sent = SendProperties.Scan(header.Properties.Span);
        RefuseUnsupported(in sent, header.SysFlag);
        if (sent.IsTransaction)
        {
            throw new RemotingException(ResponseCode.MessageIllegal, "a batch cannot be part of a transaction");
        }

        if (sent.IsDelayed)
        {
            throw new RemotingException(ResponseCode.MessageIllegal, "batch request does not support delayed messages");
        }

        CheckType(topic, in sent);
        byte[] added = AddedTo(ref sent, in header, in request);
        int propertyBytes = sent.MaxBytes(default, added);
        byte[] properties = ArrayPool<byte>.Shared.Rent(propertyBytes);
        try
        {
            var common = new MessageAppend
            {
                Properties = properties.AsSpan(0, sent.WriteShared(properties, added)),
                Flag = header.Flag,
                SysFlag = SysFlagOf(topic, in header),
                BornTimestampMs = header.BornTimestampMs,
                BornHost = request.Connection.Host,
                StoreHost = _storeHost,
                ReconsumeTimes = header.ReconsumeTimes,
            };
            var offsets = new List<long>();
            AppendBatchResult result = intake.AppendBatch(topic, queueId, in common, request.Body, offsets);
            ThrowUnlessStored(result.Status);
            return ReplyToBatchAsync(request.Responder, result.QueueId, result, offsets, sent.UniqueKey.ToArray(), sent.WaitForFlush);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(properties);
        }
    }

    private async ValueTask ReplyToBatchAsync(
        Responder responder, int queueId, AppendBatchResult result, List<long> offsets, byte[] uniqueKey, bool waitForFlush)
    {
        FlushStatus status = waitForFlush
            ? await intake.WaitForFlushAsync(result.EndOffset).ConfigureAwait(false)
            : FlushStatus.Flushed;
        byte[] messageIds = Encoding.ASCII.GetBytes(string.Join(',', offsets.Select(offset => MessageId.Format(in _storeHost, offset))));
        responder.Reply(MessageIntake.ToCode(status), null, new SendReply(messageIds, queueId, result.QueueOffset, uniqueKey, _replies.Identity));
    }

    // The messages of a gray producer are gray, whether it marks them or not; the mark stays with them wherever they go.
    private byte[] AddedTo(ref SendProperties sent, in SendMessageHeader header, in RemotingRequest request)
    {
        if (gray.View?.FindProducers(header.ProducerGroup.Span) is not { } producers
            || sent.IsGray
            || producers.SideOf(request.Connection) == Side.Normal)
        {
            return _addedProperties;
        }

        sent.DropMark();
        return _addedGrayProperties;
    }

    // Clients before 4.6.1 leave the property on messages that they send again for a later attempt (RocketMQ: sendMessage).
    private static bool IsHalf(in SendProperties sent, in SendMessageHeader header) =>
        sent.IsTransaction && !(header.ReconsumeTimes > 0 && sent.IsDelayed);

    // Refused rather than stored as if they were ordinary: a consumer would see them at once, or never.
    private static void RefuseUnsupported(in SendProperties sent, int sysFlag)
    {
        if (!sent.IsTransaction && MessageSysFlag.Transaction(sysFlag) != MessageSysFlag.TransactionNone)
        {
            throw new RemotingException(
                ResponseCode.MessageIllegal, $"sysFlag {sysFlag} says that the message is part of a transaction, TRAN_MSG does not");
        }
    }

    private void CheckType(Topic topic, in SendProperties sent)
    {
        if (sent.HasShardingKey && !topic.IsUsedInOrder)
        {
            topics.NoteOrder(topic);
        }

        if (topic.MessageType != TopicMessageType.Any && options.CheckMessageType)
        {
            topic.MessageType.Check(in sent);
        }
    }

    private static int SysFlagOf(Topic topic, in SendMessageHeader header)
    {
        // What is stored here is sent, or waits as half of a transaction where nothing but that is.
        int sysFlag = MessageSysFlag.WithTransaction(header.SysFlag, MessageSysFlag.TransactionNone);
        return topic.Config.TopicFilterType == TopicFilterType.MultiTag ? sysFlag | MessageSysFlag.MultiTags : sysFlag;
    }

    private void ThrowUnlessStored(AppendStatus status)
    {
        if (status != AppendStatus.Ok)
        {
            throw MessageIntake.Refusal(status, options.MaxMessageBytes);
        }
    }
}
