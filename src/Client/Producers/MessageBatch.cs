using System.Text;

namespace GrayMQ.Client.Producers;

/// <summary>Cuts messages into batches that brokers take.</summary>
public static class MessageBatch
{
    /// <summary>What a batch may have unless told otherwise: well below the brokers' limit of 4 MiB.</summary>
    public const int DefaultMaxBytes = 1024 * 1024;

    // Record head 22, UNIQ_KEY of up to 56 digits, KEYS, TAGS and WAIT with their separators.
    private const int FixedBytes = 128;
    private const int SeparatorBytes = 2;

    /// <summary>
    /// Batches of at most <paramref name="maxBytes"/>, in the order of the messages. A message that is larger by itself becomes
    /// a batch of its own.
    /// </summary>
    /// <param name="messages">Messages of one topic.</param>
    /// <param name="maxBytes">Bytes of a batch as it travels; estimated from above.</param>
    public static IEnumerable<IReadOnlyList<Message>> Split(IEnumerable<Message> messages, int maxBytes = DefaultMaxBytes)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
        return Cut(messages, maxBytes);
    }

    private static IEnumerable<IReadOnlyList<Message>> Cut(IEnumerable<Message> messages, int maxBytes)
    {
        var batch = new List<Message>();
        long bytes = 0;
        foreach (Message message in messages)
        {
            long more = BytesOf(message);
            if (batch.Count > 0 && bytes + more > maxBytes)
            {
                yield return batch;
                batch = [];
                bytes = 0;
            }

            batch.Add(message);
            bytes += more;
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    private static long BytesOf(Message message)
    {
        long bytes = FixedBytes + message.Body.Length + Encoding.UTF8.GetByteCount(message.Tag ?? "")
            + Encoding.UTF8.GetByteCount(message.MessageId ?? "");
        foreach (string key in message.Keys)
        {
            bytes += Encoding.UTF8.GetByteCount(key) + 1;
        }

        if (message.PropertiesOrNull is { } properties)
        {
            foreach ((string name, string value) in properties)
            {
                bytes += Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(value) + SeparatorBytes;
            }
        }

        return bytes;
    }
}
