using GrayMQ.Protocol.Messages;

namespace GrayMQ.Store.Dispatching;

/// <summary>The properties of a message that its queue and the index are filled from, found in one pass; empty where it has none.</summary>
internal readonly ref struct IndexedProperties
{
    public ReadOnlySpan<byte> UniqueKey { get; private init; }

    /// <summary>Words with blanks between them.</summary>
    public ReadOnlySpan<byte> Keys { get; private init; }

    public ReadOnlySpan<byte> Tags { get; private init; }

    public static IndexedProperties Of(in StoredMessage message)
    {
        ReadOnlySpan<byte> uniqueKey = default;
        ReadOnlySpan<byte> keys = default;
        ReadOnlySpan<byte> tags = default;

        // Of several of one name the last counts.
        foreach (MessagePropertyBytes property in MessagePropertiesCodec.Enumerate(message.Properties))
        {
            switch (property.Name.Length)
            {
                case 8 when property.Name.SequenceEqual(MessagePropertyUtf8.UniqueKey):
                    uniqueKey = property.Value;
                    break;
                case 4 when property.Name.SequenceEqual(MessagePropertyUtf8.Keys):
                    keys = property.Value;
                    break;
                case 4 when property.Name.SequenceEqual(MessagePropertyUtf8.Tags):
                    tags = property.Value;
                    break;
            }
        }

        return new IndexedProperties { UniqueKey = uniqueKey, Keys = keys, Tags = tags };
    }
}
