using System.Text;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// Message properties as bytes, in commit-log records and on the wire.
/// <code>
/// name 0x01 value 0x02  name 0x01 value 0x02 …      UTF-8; the last 0x02 may be missing
/// </code>
/// Entries without a name or without a value are passed over; of two entries with one name the later counts
/// (RocketMQ: MessageDecoder.string2messageProperties).
/// </summary>
public static class MessagePropertiesCodec
{
    public const byte NameValueSeparator = 1;
    public const byte PropertySeparator = 2;

    /// <summary>Longest encoded properties of one message: the record's length field is a signed 16-bit number.</summary>
    public const int MaxBytes = short.MaxValue;

    /// <summary>Finds one property in raw bytes; <paramref name="value"/> is a slice of <paramref name="properties"/>.</summary>
    public static bool TryFind(
        ReadOnlySpan<byte> properties, scoped ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
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

    /// <summary>All properties, in the order of the bytes.</summary>
    public static MessagePropertiesEnumerator Enumerate(ReadOnlySpan<byte> properties) => new(properties);

    public static Dictionary<string, string> ToDictionary(ReadOnlySpan<byte> properties)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (MessagePropertyBytes property in Enumerate(properties))
        {
            map[Encoding.UTF8.GetString(property.Name)] = Encoding.UTF8.GetString(property.Value);
        }

        return map;
    }

    /// <summary>
    /// Encodes properties. Throws <see cref="ArgumentException"/> for a name or value that the format cannot hold:
    /// one with a separator in it, or an empty name. Empty values are left out: no reader would see them.
    /// </summary>
    public static byte[] ToBytes(IEnumerable<KeyValuePair<string, string>> properties)
    {
        var text = new StringBuilder();
        foreach ((string name, string value) in properties)
        {
            if (name.Length == 0 || ContainsSeparator(name) || ContainsSeparator(value))
            {
                throw new ArgumentException(
                    $"Property '{name}': names are not empty, and neither names nor values contain U+0001 or U+0002.",
                    nameof(properties));
            }

            if (value.Length > 0)
            {
                text.Append(name).Append((char)NameValueSeparator).Append(value).Append((char)PropertySeparator);
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static bool ContainsSeparator(string text) =>
        text.AsSpan().ContainsAny((char)NameValueSeparator, (char)PropertySeparator);
}
