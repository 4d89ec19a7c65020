using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace GrayMQ.Broker.Delays;

/// <summary>
/// What a producer recalls a delayed message by: <c>v1 topic broker time uniqueKey</c>, in base64 for URLs (RocketMQ:
/// RecallMessageHandle).
/// </summary>
/// <param name="Topic">The topic that the message is meant for.</param>
/// <param name="BrokerName">The broker that has it.</param>
/// <param name="TimeMs">TIMER_OUT_MS and 1, or -1 if it is no time.</param>
/// <param name="UniqueKey">Its UNIQ_KEY.</param>
internal readonly record struct RecallHandle(string Topic, string BrokerName, long TimeMs, string UniqueKey)
{
    private const char Separator = ' ';
    private const string Version = "v1";
    private const int Parts = 5;

    // No topic, broker and key together are longer.
    private const int MaxLength = 4096;

    public override string ToString()
    {
        string text = string.Create(
            CultureInfo.InvariantCulture, $"{Version}{Separator}{Topic}{Separator}{BrokerName}{Separator}{TimeMs}{Separator}{UniqueKey}");

        // RocketMQ's encoder pads, .NET's does not.
        string encoded = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
        return encoded.PadRight((encoded.Length + 3) / 4 * 4, '=');
    }

    /// <summary>Reads a handle; false for what is none.</summary>
    public static bool TryParse(string text, out RecallHandle handle)
    {
        handle = default;
        if (text.Length is 0 or > MaxLength || !Base64Url.IsValid(text))
        {
            return false;
        }

        string[] parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split(Separator);
        if (parts.Length < Parts || parts[0] != Version)
        {
            return false;
        }

        bool hasTime = long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out long timeMs);
        handle = new RecallHandle(parts[1], parts[2], hasTime ? timeMs : -1, parts[4]);
        return true;
    }
}
