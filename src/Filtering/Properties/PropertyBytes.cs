namespace GrayMQ.Filtering.Properties;

/// <summary>
/// Message properties as they are stored: <c>name 0x01 value 0x02 …</c> in UTF-8, the last 0x02 may be missing. Entries without a
/// name or without a value are passed over; of two with one name the later counts. RocketMQ: MessageDecoder.
/// </summary>
public static class PropertyBytes
{
    public const byte NameValueSeparator = 1;
    public const byte PropertySeparator = 2;

    /// <summary>Finds one property; <paramref name="value"/> is a slice of <paramref name="properties"/> and never empty.</summary>
    public static bool TryFind(ReadOnlySpan<byte> properties, scoped ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        // From the end, because the later of two equal names counts.
        ReadOnlySpan<byte> rest = properties;
        while (name.Length > 0)
        {
            int start = rest.LastIndexOf(name);
            if (start < 0)
            {
                break;
            }

            int separator = start + name.Length;
            bool startsEntry = start == 0 || properties[start - 1] == PropertySeparator;
            if (startsEntry && separator < properties.Length && properties[separator] == NameValueSeparator)
            {
                ReadOnlySpan<byte> tail = properties[(separator + 1)..];
                int end = tail.IndexOf(PropertySeparator);
                value = end < 0 ? tail : tail[..end];
                if (!value.IsEmpty)
                {
                    return true;
                }
            }

            rest = rest[..(start + name.Length - 1)];
        }

        value = default;
        return false;
    }
}
