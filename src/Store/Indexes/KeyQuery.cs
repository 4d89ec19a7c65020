using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.CommitLogs;
using GrayMQ.Store.Reading;

namespace GrayMQ.Store.Indexes;

/// <summary>Finds messages by key. The index holds hashes only, so every hit is held against its message.</summary>
internal sealed class KeyQuery(StoreOptions options, KeyIndex index, CommitLogReader log)
{
    /// <inheritdoc cref="MessageStore.QueryByKey"/>
    public KeyQueryResult Find(string topic, string key, int maxCount, long beginMs, long endMs)
    {
        byte[] topicUtf8 = Encoding.UTF8.GetBytes(topic);
        byte[] keyUtf8 = Encoding.UTF8.GetBytes(key);
        int hash = JavaStringHash.Append(JavaStringHash.Append(JavaStringHash.Of(topicUtf8), "#"u8), keyUtf8);
        var offsets = new List<long>();
        index.Select(hash, Math.Min(maxCount, options.MaxQueryCount), beginMs, endMs, offsets);
        using var slices = new MessageSlices();
        offsets.RemoveAll(offset => !HasKey(offset, topicUtf8, keyUtf8, slices));
        IndexFile? last = index.Last;
        return new KeyQueryResult(offsets, last?.EndTimestampMs ?? 0, last?.EndOffset ?? 0);
    }

    private bool HasKey(long offset, byte[] topic, byte[] key, MessageSlices slices)
    {
        slices.Clear();
        if (!log.TryReadAt(offset, slices)
            || StoredMessage.Read(slices[0], out StoredMessage message) != StoredMessageStatus.Message
            || !message.Topic.SequenceEqual(topic))
        {
            return false;
        }

        if (message.TryGetProperty(MessagePropertyUtf8.UniqueKey, out ReadOnlySpan<byte> uniqueKey)
            && uniqueKey.SequenceEqual(key))
        {
            return true;
        }

        if (message.TryGetProperty(MessagePropertyUtf8.Keys, out ReadOnlySpan<byte> keys))
        {
            foreach (Range word in keys.Split((byte)MessageProperty.KeySeparator))
            {
                if (keys[word].SequenceEqual(key))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
