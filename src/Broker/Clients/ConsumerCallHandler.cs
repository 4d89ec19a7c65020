using System.Buffers;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Clients;

/// <summary>
/// Passes an administrator's question on to a consumer, and its answer back: GET_CONSUMER_RUNNING_INFO (307),
/// CONSUME_MESSAGE_DIRECTLY (309), INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223). Waits for clients: belongs on the thread pool.
/// </summary>
internal sealed class ConsumerCallHandler(
    string brokerName, ConsumerTable consumers, TopicTable topics, SubscriptionGroupTable groups, MessageStore store)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StatusTimeout = TimeSpan.FromSeconds(5);

    // RocketMQ: ordinals of V3_1_8_SNAPSHOT and V3_0_7_SNAPSHOT.
    private const short AnswersCallsSince = 62;
    private const short AnswersStatusSince = 28;

    public ValueTask RunningInfoAsync(RemotingRequest request, GetConsumerRunningInfoHeader header) =>
        CallAsync(request, header.ConsumerGroup, header.ClientId, header, default);

    public ValueTask ConsumeDirectlyAsync(RemotingRequest request, ConsumeMessageDirectlyHeader header)
    {
        ConsumeMessageDirectlyHeader passed = header with
        {
            BrokerName = brokerName,
            TopicSysFlag = header.Topic is null ? null : topics.Find(header.Topic)?.Config.TopicSysFlag,
            GroupSysFlag = groups.FindExisting(header.ConsumerGroup)?.GroupSysFlag,
        };
        return CallAsync(request, header.ConsumerGroup, header.ClientId ?? "", passed, ReadMessage(header.MessageId));
    }

    public async ValueTask StatusAsync(RemotingRequest request, GetConsumerStatusHeader header)
    {
        IReadOnlyList<ConsumerClient> clients = consumers.Find(header.Group)?.Clients ?? [];
        if (clients.Count == 0)
        {
            throw new RemotingException(
                ResponseCode.SystemError, $"No Any Consumer online in the consumer group: [{header.Group}]");
        }

        ConsumerClient[] asked = string.IsNullOrWhiteSpace(header.ClientAddress)
            ? [.. clients]
            : [.. clients.Where(client => client.ClientId == header.ClientAddress)];
        if (Array.Find(asked, client => client.Version < AnswersStatusSince) is { } old)
        {
            throw new RemotingException(
                ResponseCode.SystemError, $"the client does not support this feature. version={old.Version}");
        }

        var question = new GetConsumerStatusHeader { Topic = header.Topic, Group = header.Group };
        Dictionary<MessageQueue, long>?[] answers =
            await Task.WhenAll(asked.Select(client => StatusOfAsync(client, question))).ConfigureAwait(false);
        var body = new GetConsumerStatusBody();
        for (int i = 0; i < asked.Length; i++)
        {
            if (answers[i] is { } offsets)
            {
                body.ConsumerTable[asked[i].ClientId] = offsets;
            }
        }

        request.Reply(BodyCodec.Encode(body));
    }

    private async ValueTask CallAsync<THeader>(
        RemotingRequest request, string group, string clientId, THeader header, ReadOnlyMemory<byte> body)
        where THeader : IHeaderFields
    {
        ConsumerClient client = consumers.Find(group)?.FindClient(clientId)
            ?? throw new RemotingException(ResponseCode.SystemError, $"The Consumer <{group}> <{clientId}> not online");
        if (client.Version < AnswersCallsSince)
        {
            throw new RemotingException(
                ResponseCode.SystemError,
                $"The Consumer <{clientId}> Version <{client.Version}> too low to finish, please upgrade it to V3_1_8_SNAPSHOT");
        }

        RemotingCommand answer;
        try
        {
            answer = await client.Connection.InvokeAsync(request.Code, header, body, CallTimeout).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new RemotingException(
                ResponseCode.ConsumeMsgTimeout, $"consumer <{group}> <{clientId}> Timeout: {e.Message}");
        }
        catch (ConnectionClosedException e)
        {
            throw new RemotingException(
                ResponseCode.SystemError, $"invoke consumer <{group}> <{clientId}> Exception: {e.Message}");
        }

        request.Responder.Reply(
            answer.ResponseCode, answer.Remark, default(NoHeader), new MemoryBody(answer.Body.ToArray()));
    }

    private static async Task<Dictionary<MessageQueue, long>?> StatusOfAsync(ConsumerClient client, GetConsumerStatusHeader header)
    {
        try
        {
            RemotingCommand answer = await client.Connection.InvokeAsync(
                RequestCode.GetConsumerStatusFromClient, header, default, StatusTimeout).ConfigureAwait(false);
            return answer.ResponseCode == ResponseCode.Success && !answer.Body.IsEmpty
                ? BodyCodec.Decode<GetConsumerStatusBody>(answer.Body).MessageQueueTable
                : null;
        }
        catch (Exception e) when (e is TimeoutException or ConnectionClosedException or BodyFormatException)
        {
            // The others' answers are worth having; who is missing in the reply did not answer.
            return null;
        }
    }

    private byte[] ReadMessage(string? messageId)
    {
        using var slices = new MessageSlices();
        if (messageId is null
            || !MessageId.TryParse(messageId, out _, out long physicalOffset)
            || !store.TryReadMessage(physicalOffset, slices))
        {
            throw new RemotingException(ResponseCode.SystemError, $"there is no message with id {messageId}");
        }

        var body = new ArrayBufferWriter<byte>(slices.TotalBytes);
        slices.CopyTo(body);
        return body.WrittenSpan.ToArray();
    }
}
