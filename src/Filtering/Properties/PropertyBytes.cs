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
        bool found = TryFind(properties, name, out int start, out int length);
        value = properties.Slice(start, length);
        return found;
    }

    /// <summary>Finds where a property's value stands; nowhere is at 0, with a length of 0.</summary>
    public static bool TryFind(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> name, out int start, out int length)
    {
        // From the end, because the later of two equal names counts.
        ReadOnlySpan<byte> rest = properties;
        while (name.Length > 0)
        {
            int at = rest.LastIndexOf(name);
            if (at < 0)
            {
                break;
            }

            int separator = at + name.Length;
            bool startsEntry = at == 0 || properties[at - 1] == PropertySeparator;
            if (startsEntry && separator < properties.Length && properties[separator] == NameValueSeparator)
            {
                start = separator + 1;
                length = properties[start..].IndexOf(PropertySeparator);
                length = length < 0 ? properties.Length - start : length;
                if (length > 0)
                {
                    return true;
                }
            }

            rest = rest[..(at + name.Length - 1)];
        }

        start = 0;
        length = 0;
        return false;
    }
}
