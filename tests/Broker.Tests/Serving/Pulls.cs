using System.Buffers;
using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Serving;

/// <summary>What consumers ask of a broker, in few words.</summary>
internal static class Pulls
{
    public const string Group = "G";

    /// <param name="expression">The subscription in the request; null leaves it to what the group has said in its heartbeats.</param>
    /// <param name="suspendMs">How long the broker may keep the pull; 0 for not at all.</param>
    public static PullMessageHeader Header(
        string topic, long offset, int queueId = 0, string? expression = "*", long suspendMs = 0) => new()
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(Group),
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = queueId,
            QueueOffset = offset,
            MaxMessages = 32,
            SysFlag = (expression is null ? PullSysFlag.None : PullSysFlag.Subscription)
                | (suspendMs > 0 ? PullSysFlag.Suspend : PullSysFlag.None),
            SuspendTimeoutMs = suspendMs,
            Subscription = Encoding.UTF8.GetBytes(expression ?? ""),
        };

    public static Task<RemotingCommand> PullAsync(this Peer peer, PullMessageHeader header) =>
        peer.AskAsync(RequestCode.PullMessage, header);

    /// <summary>
    /// Pulls and returns, without its answer, once the broker has taken the pull up: it takes the requests of a connection in their order.
    /// </summary>
    public static async Task<Task<RemotingCommand>> ParkAsync(this Peer peer, PullMessageHeader header)
    {
        Task<RemotingCommand> pull = peer.PullAsync(header);
        await peer.MaxOffsetAsync(Encoding.UTF8.GetString(header.Topic.Span), header.QueueId);
        Assert.False(pull.IsCompleted, "the pull was answered at once");
        return pull;
    }

    public static async Task<long> MaxOffsetAsync(this Peer peer, string topic, int queueId = 0)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.GetMaxOffset, new QueueHeader(topic, queueId));
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        return OffsetResponseHeader.Read(reply.Fields).Offset;
    }

    /// <summary>Waits until that many messages of the queue can be pulled.</summary>
    public static async Task DispatchedAsync(this Peer peer, string topic, long count, int queueId = 0)
    {
        for (long max = 0; max < count;)
        {
            RemotingCommand reply = await peer.PullAsync(Header(topic, max, queueId, suspendMs: 10_000));
            Assert.True(reply.ResponseCode == ResponseCode.Success, $"{max} of {count}: {reply.ResponseCode} {reply.Remark}");
            max = PullMessageResponseHeader.Read(reply.Fields).MaxOffset;
        }
    }

    /// <summary>An answer's code and where it stands.</summary>
    public static PullMessageResponseHeader Answered(RemotingCommand reply, ResponseCode code, long next, long min, long max)
    {
        Assert.True(code == reply.ResponseCode, $"{reply.ResponseCode} {reply.Remark}");
        PullMessageResponseHeader header = PullMessageResponseHeader.Read(reply.Fields);
        Assert.Equal((next, min, max), (header.NextBeginOffset, header.MinOffset, header.MaxOffset));
        return header;
    }

    public static List<ReceivedMessage> Messages(RemotingCommand reply) => MessageDecoder.DecodeAll(reply.Body.ToArray());

    public static List<string> Bodies(RemotingCommand reply) =>
        Messages(reply).ConvertAll(message => Encoding.UTF8.GetString(message.Body.Span));
}
