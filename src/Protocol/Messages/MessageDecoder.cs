using System.Text;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// Commit-log records into <see cref="ReceivedMessage"/>s: what a client does with the body of a pull, pop, view or query
/// reply. Every method throws <see cref="InvalidDataException"/> for bytes that are no records.
/// </summary>
public static class MessageDecoder
{
    /// <summary>Largest body after decompression, unless told otherwise: a small body must not become all memory.</summary>
    public const int DefaultMaxBodyBytes = BodyCompression.DefaultMaxBytes;

    /// <summary>Decodes all records, one behind the other.</summary>
    public static List<ReceivedMessage> DecodeAll(ReadOnlySpan<byte> records, int maxBodyBytes = DefaultMaxBodyBytes)
    {
        var messages = new List<ReceivedMessage>();
        while (!records.IsEmpty)
        {
            if (!StoredMessage.TryRead(records, out StoredMessage message, out string? error))
            {
                throw new InvalidDataException($"Message {messages.Count} of the reply: {error}.");
            }

            messages.Add(Decode(message, maxBodyBytes));
            records = records[message.TotalSize..];
        }

        return messages;
    }

    /// <summary>Decodes one record; a compressed body is decompressed.</summary>
    public static ReceivedMessage Decode(in StoredMessage message, int maxBodyBytes = DefaultMaxBodyBytes)
    {
        if (!message.BodyCrcMatches())
        {
            throw new InvalidDataException($"The body at physical offset {message.PhysicalOffset} fails its CRC.");
        }

        int sysFlag = message.SysFlag;
        byte[] body;
        if (MessageSysFlag.Has(sysFlag, MessageSysFlag.Compressed))
        {
            body = BodyCompression.Decompress(message.Body, sysFlag, maxBodyBytes);
            sysFlag &= ~MessageSysFlag.Compressed;
        }
        else
        {
            body = message.Body.ToArray();
        }

        MessageHost storeHost = message.StoreHost;
        return new ReceivedMessage
        {
            Topic = Encoding.UTF8.GetString(message.Topic),
            QueueId = message.QueueId,
            QueueOffset = message.QueueOffset,
            PhysicalOffset = message.PhysicalOffset,
            Flag = message.Flag,
            SysFlag = sysFlag,
            BodyCrc = message.BodyCrc,
            BornTimestampMs = message.BornTimestampMs,
            BornHost = message.BornHost,
            StoreTimestampMs = message.StoreTimestampMs,
            StoreHost = storeHost,
            ReconsumeTimes = message.ReconsumeTimes,
            PreparedTransactionOffset = message.PreparedTransactionOffset,
            StoreSize = message.TotalSize,
            Body = body,
            Properties = MessagePropertiesCodec.ToDictionary(message.Properties),
            OffsetMessageId = MessageId.Format(storeHost, message.PhysicalOffset),
        };
    }
}
