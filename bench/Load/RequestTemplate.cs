using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Load;

/// <summary>Whole request frames, made once and sent again and again, so that the load costs little beside the server.</summary>
internal static class RequestTemplate
{
    public const string PopGroupName = "load-pop";

    /// <summary>Digits of a time in milliseconds until the year 2286.</summary>
    public const int TimeDigits = 13;

    /// <summary>Of the frames that are sent again and again.</summary>
    public const int Opaque = 1;

    private const int KeyDigits = 32;

    private static readonly byte[] PopGroup = Encoding.UTF8.GetBytes(PopGroupName);

    /// <summary>A send as a stock client makes it: keys, tags, a unique key, WAIT.</summary>
    /// <param name="uniqueKeyAt">Where in the frame the unique key's last 8 digits stand, to be changed from message to message.</param>
    public static byte[] Send(SerializeType type, string topic, int queueId, int bodyBytes, out int uniqueKeyAt) =>
        Send(type, topic, queueId, bodyBytes, "", out uniqueKeyAt);

    /// <summary>A send that is to be delivered at a time.</summary>
    /// <param name="timeAt">Where in the frame the time's digits stand.</param>
    /// <inheritdoc cref="Send(SerializeType, string, int, int, out int)"/>
    public static byte[] SendAt(
        SerializeType type, string topic, int queueId, int bodyBytes, out int uniqueKeyAt, out int timeAt)
    {
        string time = new('9', TimeDigits);
        byte[] frame = Send(type, topic, queueId, bodyBytes, $"TIMER_DELIVER_MS\u0001{time}\u0002", out uniqueKeyAt);
        timeAt = frame.AsSpan().IndexOf(Encoding.ASCII.GetBytes(time));
        return frame;
    }

    private static byte[] Send(
        SerializeType type, string topic, int queueId, int bodyBytes, string properties, out int uniqueKeyAt)
    {
        string uniqueKey = new('F', KeyDigits);
        var header = new SendMessageHeader
        {
            ProducerGroup = "load"u8.ToArray(),
            Topic = Encoding.UTF8.GetBytes(topic),
            DefaultTopic = "TBW102"u8.ToArray(),
            DefaultTopicQueueNums = 8,
            QueueId = queueId,
            BornTimestampMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
            Properties = Encoding.UTF8.GetBytes($"UNIQ_KEY\u0001{uniqueKey}\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002{properties}"),
        };
        byte[] body = new byte[bodyBytes];
        new Random(1).NextBytes(body);
        byte[] frame = Frame(type, RequestCode.SendMessageV2, header, body);
        uniqueKeyAt = frame.AsSpan().IndexOf(Encoding.ASCII.GetBytes(uniqueKey)) + KeyDigits - 8;
        return frame;
    }

    /// <summary>A pull that brings its subscription along and does not wait.</summary>
    public static byte[] Pull(SerializeType type, string topic, int queueId, long offset, int maxMessages) => Frame(
        type,
        RequestCode.PullMessage,
        new PullMessageHeader
        {
            ConsumerGroup = "load"u8.ToArray(),
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = queueId,
            QueueOffset = offset,
            MaxMessages = maxMessages,
            SysFlag = PullSysFlag.Subscription,
            Subscription = "*"u8.ToArray(),
            ExpressionType = "TAG"u8.ToArray(),
        },
        []);

    /// <summary>A pop of all queues.</summary>
    public static byte[] Pop(SerializeType type, string topic, int maxMessages, long invisibleMs, long pollMs) =>
        Frame(type, RequestCode.PopMessage, PopHeader(topic, maxMessages, invisibleMs, pollMs), []);

    /// <inheritdoc cref="Pop"/>
    public static PopMessageHeader PopHeader(string topic, int maxMessages, long invisibleMs, long pollMs) => new()
    {
        ConsumerGroup = PopGroup,
        Topic = Encoding.UTF8.GetBytes(topic),
        QueueId = PopMessageHeader.AnyQueue,
        MaxMessages = maxMessages,
        InvisibleTimeMs = invisibleMs,
        PollTimeMs = pollMs,
        ExpressionType = "TAG"u8.ToArray(),
        Expression = "*"u8.ToArray(),
    };

    public static byte[] Ack(SerializeType type, string topic, int queueId, long offset, string handle, int opaque) => Frame(
        type,
        RequestCode.AckMessage,
        new AckMessageHeader
        {
            ConsumerGroup = PopGroup,
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = queueId,
            ExtraInfo = Encoding.UTF8.GetBytes(handle),
            Offset = offset,
        },
        [],
        opaque);

    public static byte[] BatchAck(SerializeType type, BatchAckMessageRequestBody body, int opaque) =>
        Frame(type, RequestCode.BatchAckMessage, default(NoHeader), BodyCodec.Encode(body), opaque);

    /// <summary>Has the group begin a queue again, so that a run does not come to an end.</summary>
    public static byte[] Rewind(SerializeType type, string topic, int queueId, long start, int opaque) =>
        Frame(type, RequestCode.UpdateConsumerOffset, RewindHeader(topic, queueId, start), [], opaque);

    /// <inheritdoc cref="Rewind"/>
    public static UpdateConsumerOffsetHeader RewindHeader(string topic, int queueId, long start) => new()
    {
        ConsumerGroup = PopGroup,
        Topic = Encoding.UTF8.GetBytes(topic),
        QueueId = queueId,
        CommitOffset = start,
    };

    private static byte[] Frame<THeader>(SerializeType type, RequestCode code, in THeader header, byte[] body, int opaque = Opaque)
        where THeader : IHeaderFields
    {
        var buffer = new HeaderBuffer();
        CommandWriter.WriteRequest(buffer, type, code, opaque, oneWay: false, in header, body.Length);
        return [.. buffer.Written, .. body];
    }
}
