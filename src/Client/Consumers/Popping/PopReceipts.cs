using System.Text;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>
/// Makes the receipt handles of a pop's messages from what its reply says of their queues (RocketMQ: MQClientAPIImpl.processPopResponse).
/// Messages and offsets stand in the same order, queue by queue. A broker may have put the handle on the message itself, as RocketMQ's
/// does with those of retry topics.
/// </summary>
internal sealed class PopReceipts
{
    private const char EntrySeparator = ';';
    private const char PartSeparator = ' ';
    private const char OffsetSeparator = ',';

    private readonly PopMessageResponseHeader _reply;
    private readonly string _topic;
    private readonly byte[] _brokerName;
    private readonly Dictionary<(byte Kind, int QueueId), Queue> _queues = [];
    private readonly Dictionary<string, int>? _orderCounts;

    /// <exception cref="FormatException">The reply is not as it has to be.</exception>
    public PopReceipts(in PopMessageResponseHeader reply, string topic, string brokerName)
    {
        _reply = reply;
        _topic = topic;
        _brokerName = Encoding.UTF8.GetBytes(brokerName);
        foreach (string[] parts in Entries(reply.StartOffsetInfo))
        {
            Of(parts).StartOffset = Number(parts[2]);
        }

        foreach (string[] parts in Entries(reply.MessageOffsetInfo))
        {
            Of(parts).Offsets = [.. parts[2].Split(OffsetSeparator).Select(Number)];
        }

        foreach (string[] parts in Entries(reply.OrderCountInfo))
        {
            _orderCounts ??= new(StringComparer.Ordinal);
            _orderCounts[parts[0] + PartSeparator + parts[1]] = (int)Number(parts[2]);
        }
    }

    /// <summary>The message as it is handed out, with its handle; to be called once for each message, in the reply's order.</summary>
    /// <param name="stored">The message under the topic that stores it.</param>
    /// <exception cref="FormatException">The reply does not fit its messages.</exception>
    public (ReceivedMessage Message, ReceiptHandle Handle) Next(ReceivedMessage stored, string brokerName)
    {
        ReceivedMessage message = stored with { Topic = _topic, BrokerName = brokerName };
        if (stored.Properties.GetValueOrDefault(MessageProperty.PopCheckPoint) is { } ready)
        {
            return (message, ReceiptHandle.Create(_topic, Encoding.UTF8.GetBytes(ready)));
        }

        byte kind = PopHandle.KindOf(Encoding.UTF8.GetBytes(stored.Topic));
        long start = stored.QueueOffset;
        long offset = stored.QueueOffset;
        if (_queues.TryGetValue((kind, stored.QueueId), out Queue? queue))
        {
            start = queue.StartOffset;
            offset = queue.Next(offset);
        }
        else if (_queues.Count > 0)
        {
            throw Malformed($"it names no offsets of queue {stored.QueueId}");
        }

        var handle = new PopHandle
        {
            StartOffset = start,
            PopTimeMs = _reply.PopTimeMs,
            InvisibleTimeMs = _reply.InvisibleTimeMs,
            ReviveQueueId = _reply.ReviveQueueId,
            Kind = kind,
            BrokerName = _brokerName,
            QueueId = stored.QueueId,
            QueueOffset = offset,
        };
        int times = OrderCount(kind, stored.QueueId, offset);
        return (times > 0 ? message with { ReconsumeTimes = times } : message, ReceiptHandle.Create(_topic, handle));
    }

    private int OrderCount(byte kind, int queueId, long offset)
    {
        if (_orderCounts is null)
        {
            return 0;
        }

        string prefix = $"{(char)kind}{PartSeparator}";
        return _orderCounts.TryGetValue($"{prefix}qo{queueId}%{offset}", out int times)
            || _orderCounts.TryGetValue($"{prefix}{queueId}", out times)
                ? times
                : 0;
    }

    private Queue Of(string[] parts)
    {
        if (parts[0] is not [var kind])
        {
            throw Malformed($"'{parts[0]}' is no kind of topic");
        }

        (byte Kind, int QueueId) key = ((byte)kind, (int)Number(parts[1]));
        if (!_queues.TryGetValue(key, out Queue? queue))
        {
            queue = new Queue();
            _queues.Add(key, queue);
        }

        return queue;
    }

    private static IEnumerable<string[]> Entries(ReadOnlyMemory<byte> info)
    {
        if (info.IsEmpty)
        {
            yield break;
        }

        foreach (string entry in Encoding.UTF8.GetString(info.Span).Split(EntrySeparator))
        {
            string[] parts = entry.Split(PartSeparator);
            yield return parts.Length == 3 ? parts : throw Malformed($"'{entry}' does not have three parts");
        }
    }

    private static long Number(string text) => long.TryParse(
        text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long number)
        ? number
        : throw Malformed($"'{text}' is no number");

    private static FormatException Malformed(string reason) => new($"the reply to a pop cannot be understood: {reason}");

    private sealed class Queue
    {
        private int _next;

        public long StartOffset { get; set; }

        public long[] Offsets { get; set; } = [];

        public long Next(long stored) => Offsets.Length == 0
            ? stored
            : _next < Offsets.Length
                ? Offsets[_next++]
                : throw Malformed("it holds more messages than offsets");
    }
}
