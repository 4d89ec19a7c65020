using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Producers.Requesting;

/// <summary>The requests whose replies are waited for, by correlation id; brokers push the replies.</summary>
internal sealed class PendingRequests(TimeProvider time, ILogger logger)
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<ReceivedMessage>> _waiting = new(StringComparer.Ordinal);

    /// <summary>Takes replies in from now on.</summary>
    public void AddTo(RequestTable requests) =>
        requests.OnPool<ReplyMessageHeader>(RequestCode.PushReplyMessageToClient, HandleReply);

    public Task<ReceivedMessage> Add(string correlationId) => _waiting.GetOrAdd(
        correlationId,
        static _ => new TaskCompletionSource<ReceivedMessage>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Remove(string correlationId) => _waiting.TryRemove(correlationId, out _);

    private ValueTask HandleReply(RemotingRequest request, ReplyMessageHeader header)
    {
        Dictionary<string, string> properties =
            MessagePropertiesCodec.ToDictionary(Encoding.UTF8.GetBytes(header.Properties ?? ""));
        if (properties.GetValueOrDefault(MessageProperty.CorrelationId) is { } id
            && _waiting.TryRemove(id, out TaskCompletionSource<ReceivedMessage>? waiting))
        {
            waiting.TrySetResult(ToMessage(header, properties, request.Body));
        }
        else
        {
            // Whoever asked has given up.
            Log.ReplyUnexpected(logger, header.BornHost);
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    // RocketMQ: ClientRemotingProcessor.receiveReplyMessage. A reply is in no queue and no log.
    private ReceivedMessage ToMessage(
        ReplyMessageHeader header, Dictionary<string, string> properties, in ReadOnlySequence<byte> body)
    {
        properties[MessageProperty.ReplyArriveTime] =
            time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        byte[] bytes = body.ToArray();
        bool isCompressed = MessageSysFlag.Has(header.SysFlag, MessageSysFlag.Compressed);
        return new ReceivedMessage
        {
            Topic = header.Topic,
            QueueId = header.QueueId,
            Flag = header.Flag,
            SysFlag = isCompressed ? header.SysFlag & ~MessageSysFlag.Compressed : header.SysFlag,
            BornTimestampMs = header.BornTimestampMs,
            BornHost = ToHost(header.BornHost),
            StoreTimestampMs = header.StoreTimestampMs,
            StoreHost = ToHost(header.StoreHost),
            ReconsumeTimes = header.ReconsumeTimes,
            Body = isCompressed ? BodyCompression.Decompress(bytes, header.SysFlag) : bytes,
            Properties = properties,
            OffsetMessageId = "",
        };
    }

    private static MessageHost ToHost(string address) =>
        IPEndPoint.TryParse(address, out IPEndPoint? endPoint) ? MessageHost.From(endPoint) : default;
}
