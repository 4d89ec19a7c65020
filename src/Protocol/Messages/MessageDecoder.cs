using System.IO.Compression;
using System.Text;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// Commit-log records into <see cref="ReceivedMessage"/>s: what a client does with the body of a pull, pop, view or query
/// reply. Every method throws <see cref="InvalidDataException"/> for bytes that are no records.
/// </summary>
public static class MessageDecoder
{
    /// <summary>Largest body after decompression, unless told otherwise: a small body must not become all memory.</summary>
    public const int DefaultMaxBodyBytes = 64 * 1024 * 1024;

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

    /// <summary>Decodes one record; a zlib-compressed body is decompressed.</summary>
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
            body = Decompress(message.Body, sysFlag, maxBodyBytes);
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

    private static byte[] Decompress(ReadOnlySpan<byte> body, int sysFlag, int maxBodyBytes)
    {
        int type = sysFlag & MessageSysFlag.CompressionTypeMask;
        if (type is not (0 or MessageSysFlag.CompressionZlib))
        {
            throw new InvalidDataException(
                $"The body is compressed with type {type >> 8} (1 LZ4, 2 Zstandard); only zlib (3) can be read here.");
        }

        using var compressed = new MemoryStream(body.ToArray(), writable: false);
        using var inflater = new ZLibStream(compressed, CompressionMode.Decompress);
        using var plain = new MemoryStream();
        byte[] buffer = new byte[8 * 1024];
        try
        {
            int read;
            while ((read = inflater.Read(buffer)) > 0)
            {
                if (plain.Length + read > maxBodyBytes)
                {
                    throw new InvalidDataException($"The body is larger than {maxBodyBytes} bytes after decompression.");
                }

                plain.Write(buffer, 0, read);
            }
        }
        catch (IOException e)
        {
            // A preset dictionary is asked for, which no sender has.
            throw new InvalidDataException("The body is not what zlib compresses to.", e);
        }

        return plain.ToArray();
    }
}
