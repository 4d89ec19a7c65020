using System.Buffers;
using System.Text;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Flushing;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Replies;

/// <summary>
/// Hands replies to the producers that wait for them, and stores them if that is wanted: SEND_REPLY_MESSAGE (324),
/// SEND_REPLY_MESSAGE_V2 (325). RocketMQ: ReplyMessageProcessor.
/// </summary>
internal sealed class ReplyHandler(
    SendOptions options,
    bool storesReplies,
    TopicTable topics,
    SendGate gate,
    ProducerTable producers,
    MessageIntake intake,
    TimeProvider time,
    ILogger<ReplyHandler> logger)
{
    /// <summary>
    /// Bytes that all replies may hold which wait for their readers' answers, or for the disk; beyond, replies are refused with SYSTEM_BUSY.
    /// </summary>
    public const long MaxWaitingBytes = 64 * 1024 * 1024;

    // What a reply holds beside its body and properties: its request, its push, and what waits for the answer to that.
    private const int FixedBytes = 2048;

    private static readonly TimeSpan PushTimeout = TimeSpan.FromSeconds(10);

    private readonly SendTargets _targets = new(topics, options.BrokerPermission);
    private readonly SendIdentity _identity = new(options.Region, options.TraceOn, gate);
    private readonly byte[] _region = Encoding.UTF8.GetBytes(options.Region);
    private readonly byte[] _traceOn = options.TraceOn ? "true"u8.ToArray() : "false"u8.ToArray();
    private long _waitingBytes;

    public async ValueTask HandleAsync(RemotingRequest request, SendMessageHeader header)
    {
        Reply reply;
        try
        {
            reply = Read(request, in header);
        }
        catch (RemotingException e)
        {
            request.Responder.Reply(e.Code, e.Message, _identity);
            return;
        }

        try
        {
            // Whether it can be stored is not for the one who waits to suffer from.
            string? problem = await PushAsync(reply).ConfigureAwait(false);
            if (problem is not null)
            {
                Log.ReplyNotPushed(logger, reply.Push.Topic, problem);
            }

            AppendResult? stored = storesReplies ? await StoreAsync(reply).ConfigureAwait(false) : null;
            Answer(request.Responder, reply.QueueId, problem, stored);
        }
        finally
        {
            Interlocked.Add(ref _waitingBytes, -reply.HeldBytes);
        }
    }

    // Takes everything out of the connection's buffers.
    private Reply Read(in RemotingRequest request, in SendMessageHeader header)
    {
        Topic topic = _targets.FindTopic(in header, in request);
        int queueId = SendTargets.ChooseQueue(topic, in header, in request);
        MessageHost bornHost = request.Connection.Host;
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();

        using var properties = new MessagePropertiesEditor(header.Properties.Span);
        string? requester = properties.TryFind(MessagePropertyUtf8.ReplyToClient, out ReadOnlySpan<byte> clientId)
            ? Encoding.UTF8.GetString(clientId)
            : null;
        properties.Set(MessagePropertyUtf8.MessageRegion, _region);
        properties.Set(MessagePropertyUtf8.TraceSwitch, _traceOn);
        byte[] stored = properties.Bytes.ToArray();
        properties.Set(MessagePropertyUtf8.PushReplyTime, now);
        var push = new ReplyMessageHeader
        {
            ProducerGroup = Encoding.UTF8.GetString(header.ProducerGroup.Span),
            Topic = topic.Name,
            DefaultTopic = Encoding.UTF8.GetString(header.DefaultTopic.Span),
            DefaultTopicQueueNums = header.DefaultTopicQueueNums,
            QueueId = header.QueueId,
            SysFlag = header.SysFlag,
            BornTimestampMs = header.BornTimestampMs,
            Flag = header.Flag,
            Properties = Encoding.UTF8.GetString(properties.Bytes),
            ReconsumeTimes = header.ReconsumeTimes,
            UnitMode = header.UnitMode,
            BornHost = bornHost.ToString(),
            StoreHost = intake.StoreHost.ToString(),
            StoreTimestampMs = now,
        };
        long heldBytes = FixedBytes + request.Body.Length + stored.Length + ((long)push.Properties.Length * sizeof(char));
        if (Interlocked.Add(ref _waitingBytes, heldBytes) > MaxWaitingBytes)
        {
            Interlocked.Add(ref _waitingBytes, -heldBytes);
            throw new RemotingException(
                ResponseCode.SystemBusy, $"replies of {MaxWaitingBytes} bytes wait for clients to take them, which is the limit");
        }

        return new Reply(requester, topic, queueId, push, bornHost, stored, request.Body.ToArray(), heldBytes);
    }

    // What went wrong, in RocketMQ's words; null when it was taken.
    private async ValueTask<string?> PushAsync(Reply reply)
    {
        if (reply.Requester is null)
        {
            return $"reply message properties[{MessageProperty.ReplyToClient}] is null";
        }

        if (producers.FindClient(reply.Requester) is not { } requester)
        {
            return $"push reply message fail, channel of <{reply.Requester}> not found.";
        }

        try
        {
            RemotingCommand answer = await requester.Connection
                .InvokeAsync(RequestCode.PushReplyMessageToClient, reply.Push, reply.Body, PushTimeout)
                .ConfigureAwait(false);
            return answer.ResponseCode == ResponseCode.Success ? null : $"push reply message to {reply.Requester}fail.";
        }
        catch (Exception e) when (e is TimeoutException or ConnectionClosedException)
        {
            return $"push reply message to {reply.Requester}fail.";
        }
    }

    private async ValueTask<AppendResult?> StoreAsync(Reply reply)
    {
        AppendResult result = Append(reply);
        if (!result.IsOk)
        {
            Log.ReplyNotStored(logger, reply.Topic.Name, result.Status.ToString());
            return null;
        }

        FlushStatus flush = await intake.WaitForFlushAsync(result.EndOffset).ConfigureAwait(false);
        if (flush != FlushStatus.Flushed)
        {
            Log.ReplyNotStored(logger, reply.Topic.Name, flush.ToString());
        }

        return result;
    }

    private AppendResult Append(Reply reply)
    {
        var message = new MessageAppend
        {
            Body = (ReadOnlySpan<byte>)reply.Body,
            Properties = reply.Properties,
            Flag = reply.Push.Flag,
            SysFlag = MessageSysFlag.WithTransaction(reply.Push.SysFlag, MessageSysFlag.TransactionNone),
            BornTimestampMs = reply.Push.BornTimestampMs,
            BornHost = reply.BornHost,
            StoreHost = intake.StoreHost,
            ReconsumeTimes = reply.Push.ReconsumeTimes,
        };
        return intake.Append(reply.Topic, reply.QueueId, in message);
    }

    private void Answer(Responder responder, int queueId, string? problem, AppendResult? stored)
    {
        ResponseCode code = problem is null ? ResponseCode.Success : ResponseCode.SystemError;
        if (stored is { } at)
        {
            MessageHost storeHost = intake.StoreHost;
            Span<byte> messageId = stackalloc byte[MessageId.V6Digits];
            MessageId.TryFormat(messageId, in storeHost, at.PhysicalOffset, out int length);
            responder.Reply(code, problem, new SendReply(messageId[..length], queueId, at.QueueOffset, default, _identity));
        }
        else if (problem is null)
        {
            // Clients cannot do without the fields of a sent message.
            responder.Reply(code, null, new SendReply("0"u8, queueId, 0, default, _identity));
        }
        else
        {
            responder.Reply(code, problem, _identity);
        }
    }

    /// <summary>A reply out of the connection's buffers.</summary>
    /// <param name="Requester">The client that waits for it; null where the reply does not say.</param>
    /// <param name="Properties">Those to be stored.</param>
    /// <param name="HeldBytes">What it counts for towards <see cref="MaxWaitingBytes"/>.</param>
    private sealed record Reply(
        string? Requester,
        Topic Topic,
        int QueueId,
        ReplyMessageHeader Push,
        MessageHost BornHost,
        byte[] Properties,
        byte[] Body,
        long HeldBytes);
}
