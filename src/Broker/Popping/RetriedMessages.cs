using System.Buffers;
using System.Buffers.Binary;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// Rewrites messages of a retry topic for a client that popped their topic: under that topic's name, and with the handle as the
/// property POP_CK, because queue and offset are those of the retry topic (RocketMQ: popResponseReturnActualRetryTopic = false).
/// </summary>
internal readonly ref struct RetriedMessages(
    ReadOnlySpan<byte> topic, ReadOnlySpan<byte> brokerName, byte kind, long startOffset, long popTimeMs, long invisibleMs)
{
    private const int MaxHandleBytes = 512;

    private readonly ReadOnlySpan<byte> _topic = topic;
    private readonly ReadOnlySpan<byte> _brokerName = brokerName;

    /// <summary>Appends the message to <paramref name="output"/>; one that cannot be rewritten as it is stored.</summary>
    public void Write(ReadOnlySpan<byte> record, ArrayBufferWriter<byte> output)
    {
        if (!StoredMessage.TryRead(record, out StoredMessage message, out _))
        {
            output.Write(record);
            return;
        }

        var handle = new PopHandle
        {
            StartOffset = startOffset,
            PopTimeMs = popTimeMs,
            InvisibleTimeMs = invisibleMs,
            Kind = kind,
            BrokerName = _brokerName,
            QueueId = message.QueueId,
            QueueOffset = message.QueueOffset,
        };
        Span<byte> text = stackalloc byte[MaxHandleBytes];
        using var properties = new MessagePropertiesEditor(message.Properties);
        if (handle.MaxBytes <= text.Length)
        {
            properties.SetIfAbsent(MessagePropertyUtf8.PopCheckPoint, text[..handle.Write(text)]);
        }

        int magic = StoredMessageLayout.MagicFor(_topic.Length);
        int topicLengthBytes = StoredMessageLayout.TopicLengthBytes(magic);
        int fixedBytes = StoredMessageLayout.BodyLengthPosition(message.SysFlag) + sizeof(int) + message.Body.Length;
        int total = fixedBytes + topicLengthBytes + _topic.Length + sizeof(short) + properties.Bytes.Length;
        if (properties.Bytes.Length > short.MaxValue)
        {
            output.Write(record);
            return;
        }

        Span<byte> to = output.GetSpan(total);
        record[..fixedBytes].CopyTo(to);
        BinaryPrimitives.WriteInt32BigEndian(to, total);
        BinaryPrimitives.WriteInt32BigEndian(to[StoredMessageLayout.MagicPosition..], magic);
        Span<byte> rest = to[fixedBytes..];
        if (topicLengthBytes == 1)
        {
            rest[0] = (byte)_topic.Length;
        }
        else
        {
            BinaryPrimitives.WriteInt16BigEndian(rest, (short)_topic.Length);
        }

        _topic.CopyTo(rest[topicLengthBytes..]);
        rest = rest[(topicLengthBytes + _topic.Length)..];
        BinaryPrimitives.WriteInt16BigEndian(rest, (short)properties.Bytes.Length);
        properties.Bytes.CopyTo(rest[sizeof(short)..]);
        output.Advance(total);
    }
}
