using System.Buffers;
using System.Text;
using Google.Protobuf.Collections;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Broker.Grpc.Clients;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Sending;

/// <summary>Stores what producers send, one message or several of a topic (RocketMQ: SendMessageActivity).</summary>
internal sealed class SendService(
    GrpcOptions options, InnerRequests inner, TopicTable topics, ClientService clients, FirstTries firstTries, TimeProvider time)
{
    // The broker chooses.
    private const int AnyQueue = -1;

    public async ValueTask<V2.SendMessageResponse> SendAsync(Caller caller, V2.SendMessageRequest request)
    {
        if (request.Messages.Count == 0)
        {
            throw new MessagingException(V2.Code.MessageCorrupted, "no message to send");
        }

        V2.Message first = request.Messages[0];
        string topic = ResourceNames.TopicOf(first.Topic, caller);
        foreach (V2.Message message in request.Messages)
        {
            if (!Equals(message.Topic, first.Topic))
            {
                throw new MessagingException(V2.Code.MessageCorrupted, "topic in message is not same");
            }
        }

        firstTries.Enter(caller, topic, request.Messages);
        var response = new V2.SendMessageResponse();
        if (request.Messages.Count > 1 && request.Messages.All(CanBeBatched))
        {
            response.Entries.Add(await SendBatchAsync(caller, topic, request.Messages).ConfigureAwait(false));
        }
        else
        {
            foreach (V2.Message message in request.Messages)
            {
                response.Entries.Add(await SendOneAsync(caller, topic, message).ConfigureAwait(false));
            }
        }

        response.Status = Statuses.OfAll(response.Entries.Select(entry => entry.Status));
        return response;
    }

    private async ValueTask<V2.SendResultEntry> SendOneAsync(Caller caller, string topic, V2.Message message)
    {
        long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        ReadOnlyMemory<byte> body = SentMessage.BodyOf(message, options.MaxBodyBytes, options.MaxBodyBytes);
        var properties = new ArrayBufferWriter<byte>(512);
        SentMessage.WriteProperties(message, topic, caller.Address?.Address.ToString(), options, nowMs, properties);
        bool isTransaction = message.SystemProperties.MessageType == V2.MessageType.Transaction;
        if (isTransaction && caller.Client is { } client)
        {
            clients.Produces(client, topic);
        }

        SendMessageHeader header = Header(topic, SentMessage.BornMs(message, nowMs)) with
        {
            QueueId = QueueOf(topic, message.SystemProperties.MessageGroup),
            Properties = properties.WrittenMemory,
        };
        RemotingCommand answer = await inner
            .AskAsync(caller, RequestCode.SendMessageV2, header, new ReadOnlySequence<byte>(body))
            .ConfigureAwait(false);
        V2.Status status = Statuses.Of(answer);
        if (status.Code != V2.Code.Ok)
        {
            return new V2.SendResultEntry { Status = status };
        }

        long queueOffset = answer.Fields.GetInt64("queueOffset"u8);
        return new V2.SendResultEntry
        {
            Status = status,
            MessageId = message.SystemProperties.MessageId,
            Offset = queueOffset,
            TransactionId = isTransaction
                && MessageId.TryParse(answer.Fields.GetUtf8("msgId"u8).Span, out _, out long physicalOffset)
                    ? new TransactionId(physicalOffset, queueOffset).ToString()
                    : "",
            RecallHandle = answer.Fields.FindString("recallHandle"u8) ?? "",
        };
    }

    // All of them are stored, one behind the other in one queue, or none.
    private async ValueTask<IEnumerable<V2.SendResultEntry>> SendBatchAsync(
        Caller caller, string topic, RepeatedField<V2.Message> messages)
    {
        long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var body = new ArrayBufferWriter<byte>(messages.Sum(message => message.Body.Length) + 1024);
        var properties = new ArrayBufferWriter<byte>(512);
        foreach (V2.Message message in messages)
        {
            properties.ResetWrittenCount();
            SentMessage.WriteProperties(message, topic, caller.Address?.Address.ToString(), options, nowMs, properties);
            if (properties.WrittenCount > MessagePropertiesCodec.MaxBytes)
            {
                throw new MessagingException(
                    V2.Code.MessagePropertiesTooLarge, $"a message's properties cannot exceed {MessagePropertiesCodec.MaxBytes} bytes");
            }

            // Before it is unpacked: small messages may unpack to large ones, and there may be many of them.
            int leftBytes = options.MaxBodyBytes - body.WrittenCount - BatchBodyWriter.FixedBytes - properties.WrittenCount;
            BatchBodyWriter.Write(
                body, flag: 0, SentMessage.BodyOf(message, options.MaxBodyBytes, leftBytes).Span, properties.WrittenSpan);
        }

        string group = messages[0].SystemProperties.MessageGroup;
        SendMessageHeader header = Header(topic, SentMessage.BornMs(messages[0], nowMs)) with
        {
            QueueId = QueueOf(topic, messages.All(message => message.SystemProperties.MessageGroup == group) ? group : ""),
            Batch = true,
        };
        RemotingCommand answer = await inner
            .AskAsync(caller, RequestCode.SendBatchMessage, header, new ReadOnlySequence<byte>(body.WrittenMemory))
            .ConfigureAwait(false);
        V2.Status status = Statuses.Of(answer);
        if (status.Code != V2.Code.Ok)
        {
            return messages.Select(_ => new V2.SendResultEntry { Status = status });
        }

        long firstOffset = answer.Fields.GetInt64("queueOffset"u8);
        return messages.Select((message, index) => new V2.SendResultEntry
        {
            Status = status,
            MessageId = message.SystemProperties.MessageId,
            Offset = firstOffset + index,
        });
    }

    // A batch has one time and no halves: such messages go one by one.
    private static bool CanBeBatched(V2.Message message) =>
        message.SystemProperties is { DeliveryTimestamp: null, MessageType: not V2.MessageType.Transaction };

    private static SendMessageHeader Header(string topic, long bornMs)
    {
        byte[] name = Encoding.UTF8.GetBytes(topic);
        return new SendMessageHeader { ProducerGroup = name, Topic = name, QueueId = AnyQueue, BornTimestampMs = bornMs };
    }

    private int QueueOf(string topic, string messageGroup) =>
        messageGroup.Length > 0 && topics.Find(topic) is { Config.WriteQueueNums: > 0 and int queues }
            ? MessageGroupQueue.Of(messageGroup, queues)
            : AnyQueue;
}
