using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>
/// Reads what a pop was answered: the messages, each with its receipt, made of what the answer says of its queues (RocketMQ: ExtraInfoUtil
/// and MQClientAPIImpl.processPopResponse).
/// </summary>
internal sealed class PopReply(string brokerName, RemotingCommand answer)
{
    private readonly byte[] _brokerName = Encoding.UTF8.GetBytes(brokerName);
    private readonly PopMessageResponseHeader _header = PopMessageResponseHeader.Read(answer.Fields);
    private ReadOnlyMemory<byte> _rest = answer.Body.IsSingleSegment ? answer.Body.First : answer.Body.ToArray();

    public long InvisibleTimeMs => _header.InvisibleTimeMs;

    /// <summary>The next message; false when there is none.</summary>
    /// <param name="topic">What was popped: a message that comes again is shown under this name, wherever it is stored.</param>
    public bool TryRead(string topic, out V2.Message message, out Receipt receipt)
    {
        (message, receipt) = (null!, null!);
        if (_rest.IsEmpty || !StoredMessage.TryRead(_rest.Span, out StoredMessage stored, out _))
        {
            return false;
        }

        _rest = _rest[stored.TotalSize..];
        byte kind = PopHandle.KindOf(stored.Topic);
        message = MessageConverter.ToMessage(in stored);
        receipt = message.SystemProperties.HasReceiptHandle
            ? Receipt.Parse(message.SystemProperties.ReceiptHandle) with { PhysicalOffset = stored.PhysicalOffset }
            : Receipt.Of(
                new PopHandle
                {
                    StartOffset = StartOf(kind, stored.QueueId) ?? stored.QueueOffset,
                    PopTimeMs = _header.PopTimeMs,
                    InvisibleTimeMs = _header.InvisibleTimeMs,
                    ReviveQueueId = _header.ReviveQueueId,
                    Kind = kind,
                    BrokerName = _brokerName,
                    QueueId = stored.QueueId,
                    QueueOffset = stored.QueueOffset,
                },
                stored.PhysicalOffset);
        message.Topic = ResourceNames.ToResource(topic);
        message.SystemProperties.ReceiptHandle = receipt.ToString();
        message.SystemProperties.InvisibleDuration = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(_header.InvisibleTimeMs));
        message.SystemProperties.DeliveryAttempt += DeliveriesBefore(kind, stored.QueueId, stored.QueueOffset);
        return true;
    }

    // "kind queueId startOffset;…"
    private long? StartOf(byte kind, int queueId)
    {
        ReadOnlySpan<byte> info = _header.StartOffsetInfo.Span;
        foreach (Range range in info.Split((byte)';'))
        {
            ReadOnlySpan<byte> part = info[range];
            if (part.Length > 2
                && part[0] == kind
                && Utf8Parser.TryParse(part[2..], out int queue, out int read)
                && queue == queueId
                && Utf8Parser.TryParse(part[Math.Min(part.Length, 3 + read)..], out long start, out _))
            {
                return start;
            }
        }

        return null;
    }

    // Of messages in order: "kind qoQUEUE%OFFSET count;…"
    private int DeliveriesBefore(byte kind, int queueId, long offset)
    {
        ReadOnlySpan<byte> info = _header.OrderCountInfo.Span;
        foreach (Range range in info.Split((byte)';'))
        {
            ReadOnlySpan<byte> part = info[range];
            if (part.Length > 4
                && part[0] == kind
                && part[2..].StartsWith("qo"u8)
                && Utf8Parser.TryParse(part[4..], out int queue, out int read)
                && queue == queueId
                && part[Math.Min(part.Length, 5 + read)..] is { IsEmpty: false } rest
                && Utf8Parser.TryParse(rest, out long at, out read)
                && at == offset
                && Utf8Parser.TryParse(rest[Math.Min(rest.Length, read + 1)..], out int count, out _))
            {
                return count;
            }
        }

        return 0;
    }
}
