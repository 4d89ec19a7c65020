using System.Buffers;
using System.Buffers.Text;
using System.Text;
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
    private const int MaxNumberBytes = 20;

    private readonly byte[] _brokerName = Encoding.UTF8.GetBytes(brokerName);
    private readonly PopMessageResponseHeader _header = PopMessageResponseHeader.Read(answer.Fields);
    private readonly ReadOnlyMemory<byte> _messages = answer.Body.IsSingleSegment ? answer.Body.First : answer.Body.ToArray();

    /// <summary>Whether there is a message at a place in the answer, of which 0 is the first one.</summary>
    public bool HasMessageAt(int position) =>
        position < _messages.Length && StoredMessage.TryRead(_messages.Span[position..], out _, out _);

    /// <summary>Writes the message at a place as a part of a receive's answer, and moves behind it.</summary>
    /// <param name="topic">What was popped: a message that comes again is shown under this name, wherever it is stored. UTF-8.</param>
    /// <returns>How many bytes were written, which are more than are stored where the body was packed.</returns>
    public int Write(ref int position, ReadOnlySpan<byte> topic, LanguageCode language, MessageSink write)
    {
        StoredMessage.TryRead(_messages.Span[position..], out StoredMessage stored, out _);
        position += stored.TotalSize;
        Span<byte> receipt = stackalloc byte[MaxReceiptBytes(in stored)];
        var delivery = new Delivery(topic, language)
        {
            Receipt = receipt[..WriteReceipt(in stored, receipt)],
            InvisibleMs = _header.InvisibleTimeMs,
            DeliveriesBefore = DeliveriesBefore(PopHandle.KindOf(stored.Topic), stored.QueueId, stored.QueueOffset),
        };
        MessageWriter.OfThread.Write(
            in stored,
            in delivery,
            V2.ReceiveMessageResponse.MessageFieldNumber,
            out ReadOnlySpan<byte> head,
            out ReadOnlySpan<byte> body);
        write(head, body);
        return head.Length + body.Length;
    }

    /// <summary>The receipt of the message at a place, which is moved behind it.</summary>
    public Receipt ReadReceipt(ref int position)
    {
        StoredMessage.TryRead(_messages.Span[position..], out StoredMessage stored, out _);
        position += stored.TotalSize;
        Span<byte> receipt = stackalloc byte[MaxReceiptBytes(in stored)];
        return Receipt.Parse(receipt[..WriteReceipt(in stored, receipt)]);
    }

    private int MaxReceiptBytes(in StoredMessage stored)
    {
        stored.TryGetProperty(MessagePropertyUtf8.PopCheckPoint, out ReadOnlySpan<byte> told);
        return Math.Max(told.Length, new PopHandle { BrokerName = _brokerName }.MaxBytes) + 1 + MaxNumberBytes;
    }

    // A pop handle, and behind it where the log has the message.
    private int WriteReceipt(in StoredMessage stored, Span<byte> receipt)
    {
        int length;
        if (stored.TryGetProperty(MessagePropertyUtf8.PopCheckPoint, out ReadOnlySpan<byte> told) && !told.IsEmpty)
        {
            told.CopyTo(receipt);
            length = told.Length;
        }
        else
        {
            byte kind = PopHandle.KindOf(stored.Topic);
            length = new PopHandle
            {
                StartOffset = StartOf(kind, stored.QueueId) ?? stored.QueueOffset,
                PopTimeMs = _header.PopTimeMs,
                InvisibleTimeMs = _header.InvisibleTimeMs,
                ReviveQueueId = _header.ReviveQueueId,
                Kind = kind,
                BrokerName = _brokerName,
                QueueId = stored.QueueId,
                QueueOffset = stored.QueueOffset,
            }.Write(receipt);
        }

        receipt[length++] = Receipt.Separator;
        Utf8Formatter.TryFormat(stored.PhysicalOffset, receipt[length..], out int digits);
        return length + digits;
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
        if (info.IsEmpty)
        {
            return 0;
        }

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
