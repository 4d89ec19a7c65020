using System.Buffers;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Model;

/// <summary>One life of the broker, as its only client sees it: requests one after the other, some of which are never answered.</summary>
internal sealed class BrokerClient(string address) : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly RemotingClient _client =
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    public static long NowMs => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Requests that were not answered: nobody knows whether the broker did what they asked for.</summary>
    public int LostCount { get; private set; }

    /// <summary>Why the last of them was not.</summary>
    public string LostReason { get; private set; } = "";

    /// <summary>The answer, or null when there is none.</summary>
    public async Task<RemotingCommand?> AskAsync<THeader>(RequestCode code, THeader header, byte[]? body = null)
        where THeader : IHeaderFields
    {
        try
        {
            return await _client.InvokeAsync(address, code, header, body, Timeout);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            LostCount++;
            LostReason = $"{code}: {e.Message}";
            return null;
        }
    }

    /// <summary>Reads a queue from an offset on; null when there is no answer.</summary>
    public async Task<List<ReceivedMessage>?> PullAsync(string group, string topic, int queueId, long offset, int maxMessages)
    {
        RemotingCommand? answer = await AskAsync(RequestCode.PullMessage, new PullMessageHeader
        {
            ConsumerGroup = Text.Utf8(group),
            Topic = Text.Utf8(topic),
            QueueId = queueId,
            QueueOffset = offset,
            MaxMessages = maxMessages,
            SysFlag = PullSysFlag.Subscription,
            Subscription = "*"u8.ToArray(),
        });
        switch (answer?.ResponseCode)
        {
            case null:
                return null;
            case ResponseCode.Success:
                List<ReceivedMessage> messages = MessageDecoder.DecodeAll(answer.Body.ToArray());
                for (int i = 0; i < messages.Count; i++)
                {
                    Violation.Unless(
                        messages[i].QueueOffset == offset + i,
                        $"queue {queueId} of {topic} pulled from {offset}: message {i} is at {messages[i].QueueOffset}");
                }

                return messages;
            case ResponseCode.PullNotFound or ResponseCode.TopicNotExist:
                return [];
            default:
                throw new Violation($"pull of {topic} queue {queueId} from {offset}: {answer.ResponseCode} {answer.Remark}");
        }
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
