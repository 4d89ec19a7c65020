using System.Buffers;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
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
    MessageIntake intake,
    UniqueKeyGenerator uniqueKeys,
    TimeProvider time)
{
    private const int MaxStackBytes = 1024;

    private readonly SendIdentity _identity = new(options.Region, options.TraceOn);
    private readonly MessageHost _storeHost = intake.StoreHost;
    private readonly byte[] _addedProperties = SendProperties.Added(options);

    public ValueTask HandleAsync(RemotingRequest request, SendMessageHeader header)
    {
        try
        {
            return header.Batch || request.Code == RequestCode.SendBatchMessage
                ? SendBatch(request, in header)
                : Send(request, in header);
        }
        catch (RemotingException e)
        {
            // Refusals, too, say which broker speaks.
            request.Responder.Reply(e.Code, e.Message, _identity);
            return ValueTask.CompletedTask;
        }
    }

    // Nothing is read of the scratch memory that was not written before: clearing it would cost as much as using it.
    [SkipLocalsInit]
    private ValueTask Send(RemotingRequest request, in SendMessageHeader header)
    {
        Topic topic = FindTopic(in header, request);
        int queueId = ChooseQueue(topic, in header, request);
        var sent = SendProperties.Scan(header.Properties.Span);
        RefuseUnsupported(topic, in sent, header.SysFlag);

        Span<byte> madeKey = stackalloc byte[MessageId.V6Digits];
        scoped ReadOnlySpan<byte> uniqueKey = sent.UniqueKey;
        if (uniqueKey.IsEmpty)
        {
            uniqueKeys.Write(madeKey, time.GetUtcNow().ToUnixTimeMilliseconds());
            uniqueKey = madeKey[..uniqueKeys.Digits];
        }

        int propertyBytes = sent.MaxBytes(uniqueKey, _addedProperties);
        byte[]? rented = propertyBytes <= MaxStackBytes ? null : ArrayPool<byte>.Shared.Rent(propertyBytes);
        Span<byte> properties = rented ?? stackalloc byte[MaxStackBytes];
        try
        {
            int length = sent.Write(properties, uniqueKey, _addedProperties);
            var message = new MessageAppend
            {
                Body = request.Body,
                Properties = properties[..length],
                Flag = header.Flag,
                SysFlag = SysFlagOf(topic, in header),
                BornTimestampMs = header.BornTimestampMs,
                BornHost = BornHost(request),
                StoreHost = _storeHost,
                ReconsumeTimes = header.ReconsumeTimes,
            };
            AppendResult result = intake.Append(topic, queueId, in message);
            ThrowUnlessStored(result.Status);
            return sent.WaitForFlush
                ? ReplyWhenFlushed(request.Responder, queueId, in result, uniqueKey)
                : Reply(request.Responder, ResponseCode.Success, queueId, in result, uniqueKey);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private ValueTask ReplyWhenFlushed(Responder responder, int queueId, in AppendResult result, ReadOnlySpan<byte> uniqueKey)
    {
        ValueTask<FlushStatus> flush = intake.WaitForFlushAsync(result.EndOffset);
        if (flush.IsCompletedSuccessfully)
        {
            return Reply(responder, MessageIntake.ToCode(flush.Result), queueId, in result, uniqueKey);
        }

        // What is in the request's buffers is gone by the time of the answer.
        byte[] kept = ArrayPool<byte>.Shared.Rent(uniqueKey.Length);
        uniqueKey.CopyTo(kept);
        return ReplyLaterAsync(flush, responder, queueId, result, kept, uniqueKey.Length);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReplyLaterAsync(
        ValueTask<FlushStatus> flush, Responder responder, int queueId, AppendResult result, byte[] uniqueKey, int uniqueKeyLength)
    {
        FlushStatus status = await flush.ConfigureAwait(false);
        await Reply(responder, MessageIntake.ToCode(status), queueId, in result, uniqueKey.AsSpan(0, uniqueKeyLength)).ConfigureAwait(false);
        ArrayPool<byte>.Shared.Return(uniqueKey);
    }

    private ValueTask Reply(
        Responder responder, ResponseCode code, int queueId, in AppendResult result, ReadOnlySpan<byte> uniqueKey)
    {
        Span<byte> messageId = stackalloc byte[MessageId.V6Digits];
        MessageId.TryFormat(messageId, in _storeHost, result.PhysicalOffset, out int length);
        responder.Reply(code, null, new SendReply(messageId[..length], queueId, result.QueueOffset, uniqueKey, _identity));
        return ValueTask.CompletedTask;
    }

    private ValueTask SendBatch(RemotingRequest request, in SendMessageHeader header)
    {
        Topic topic = FindTopic(in header, request);
        if (topic.IsRetry)
        {
            throw new RemotingException(
                ResponseCode.MessageIllegal, $"batch request does not support retry group {topic.Name}");
        }

        int queueId = ChooseQueue(topic, in header, request);
        var sent = SendProperties.Scan(header.Properties.Span);
        RefuseUnsupported(topic, in sent, header.SysFlag);
        int propertyBytes = sent.MaxBytes(default, _addedProperties);
        byte[] properties = ArrayPool<byte>.Shared.Rent(propertyBytes);
        try
        {
            var common = new MessageAppend
            {
                Properties = properties.AsSpan(0, sent.WriteShared(properties, _addedProperties)),
                Flag = header.Flag,
                SysFlag = SysFlagOf(topic, in header),
                BornTimestampMs = header.BornTimestampMs,
                BornHost = BornHost(request),
                StoreHost = _storeHost,
                ReconsumeTimes = header.ReconsumeTimes,
            };
            var offsets = new List<long>();
            AppendBatchResult result = intake.AppendBatch(topic, queueId, in common, request.Body, offsets);
            ThrowUnlessStored(result.Status);
            return ReplyToBatchAsync(request.Responder, queueId, result, offsets, sent.UniqueKey.ToArray(), sent.WaitForFlush);
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
        responder.Reply(MessageIntake.ToCode(status), null, new SendReply(messageIds, queueId, result.QueueOffset, uniqueKey, _identity));
    }

    private Topic FindTopic(in SendMessageHeader header, in RemotingRequest request)
    {
        Topic? topic = topics.Find(header.Topic.Span) ?? Create(in header, request.Connection.RemoteEndPoint);
        if (topic.IsForbiddenToSend)
        {
            throw ForbiddenTopic(topic.Name);
        }

        if (!TopicPermission.IsWritable(options.BrokerPermission.Value & topic.Config.Perm))
        {
            throw new RemotingException(ResponseCode.NoPermission, $"the topic[{topic.Name}] sending message is forbidden");
        }

        return topic;
    }

    private Topic Create(in SendMessageHeader header, IPEndPoint? producer)
    {
        string name = Encoding.UTF8.GetString(header.Topic.Span);
        if (TopicNames.Problem(name) is { } problem)
        {
            throw new RemotingException(ResponseCode.InvalidParameter, problem);
        }

        if (SystemTopics.IsForbiddenToSend(name))
        {
            throw ForbiddenTopic(name);
        }

        string template = Encoding.UTF8.GetString(header.DefaultTopic.Span);
        if (topics.CreateOnSend(name, template, header.DefaultTopicQueueNums, header.UnitMode, producer) is { } created)
        {
            return created;
        }

        // A consumer's retries must not depend on whether topics are created for producers.
        return name.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal)
            ? topics.CreateOnSendBack(name, queueNums: 1, topicSysFlag: header.UnitMode ? TopicSysFlags.UnitSubscription : 0)
            : throw new RemotingException(ResponseCode.TopicNotExist, $"topic[{name}] not exist, apply first please!");
    }

    private static RemotingException ForbiddenTopic(string name) =>
        new(ResponseCode.NoPermission, $"Sending message to topic[{name}] is forbidden.");

    private static int ChooseQueue(Topic topic, in SendMessageHeader header, in RemotingRequest request)
    {
        TopicConfig config = topic.Config;
        int queueCount = Math.Max(config.WriteQueueNums, config.ReadQueueNums);
        if (header.QueueId >= queueCount)
        {
            throw new RemotingException(
                ResponseCode.InvalidParameter,
                $"request queueId[{header.QueueId}] is illegal, topic[{topic.Name}] has {queueCount} queues. "
                + $"Producer: {request.Connection.RemoteEndPoint}");
        }

        return header.QueueId >= 0 ? header.QueueId : Random.Shared.Next(Math.Max(1, config.WriteQueueNums));
    }

    // Refused rather than stored as if they were ordinary: a consumer would see them at once.
    private static void RefuseUnsupported(Topic topic, in SendProperties sent, int sysFlag)
    {
        if (sent.IsTransaction || MessageSysFlag.Transaction(sysFlag) != MessageSysFlag.TransactionNone)
        {
            throw new RemotingException(ResponseCode.MessageIllegal, "transactional messages are not supported by this broker");
        }

        if (sent.IsDelayed)
        {
            throw new RemotingException(
                ResponseCode.MessageIllegal, $"delayed messages are not supported by this broker: topic {topic.Name}");
        }
    }

    private static int SysFlagOf(Topic topic, in SendMessageHeader header) =>
        topic.Config.TopicFilterType == TopicFilterType.MultiTag ? header.SysFlag | MessageSysFlag.MultiTags : header.SysFlag;

    private static MessageHost BornHost(in RemotingRequest request) =>
        request.Connection.RemoteEndPoint is { } peer ? MessageHost.From(peer) : default;

    private void ThrowUnlessStored(AppendStatus status)
    {
        if (status != AppendStatus.Ok)
        {
            throw MessageIntake.Refusal(status, options.MaxMessageBytes);
        }
    }
}
