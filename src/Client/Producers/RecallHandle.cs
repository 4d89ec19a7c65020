using System.Buffers.Text;
using System.Text;

namespace GrayMQ.Client.Producers;

/// <summary>
/// What a delayed message is recalled by, as brokers make it: <c>v1 topic broker deliveryMs messageId</c>, separated by spaces, in URL-safe
/// Base64 (RocketMQ: RecallMessageHandle.HandleV1).
/// </summary>
internal readonly record struct RecallHandle(string Topic, string BrokerName)
{
    private const string Version = "v1";
    private const int Parts = 5;
    private const int MaxLength = 4096;

    /// <exception cref="FormatException">It is no recall handle.</exception>
    public static RecallHandle Parse(string handle)
    {
        if (handle.Length is > 0 and <= MaxLength && Base64Url.IsValid(handle))
        {
            string[] parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(handle)).Split(' ');
            if (parts.Length == Parts && parts[0] == Version)
            {
                return new RecallHandle(parts[1], parts[2]);
            }
        }

        throw new FormatException("this is no recall handle: expected the one that the message's send result holds");
    }
}
